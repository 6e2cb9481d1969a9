// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package deploymenttest

import (
	"fmt"
	"strings"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// words tell, of a step that was not seen, who should do what.
func (w *walked) words(k int) string {
	text := w.task(k)
	if k == len(w.seen) && w.wrong != "" {
		text = w.wrong + " " + text
	}
	if number, tried := w.early[steps[k].name]; tried {
		before := steps[len(w.seen)]
		if k == len(w.seen) {
			before = steps[k-1]
		}
		text = fmt.Sprintf("Request %d came too early: step %s had not been seen. ", number, before.name) + text
	}
	return cut(text)
}

func (w *walked) task(k int) string {
	organizer, producer := w.terms.Organizer, w.terms.Producer
	of := ""
	if w.client != "" {
		of = " of client " + w.client
	}
	switch steps[k].name {
	case v1alpha1.StepRelationshipStored:
		return fmt.Sprintf("The organizer must store, with ClientSystem %s, a client relationship document that names unit %s and service task %s, and a document of the same client (%s).",
			organizer.Name, w.terms.Unit, w.terms.ServiceTask, formats(organizer))
	case v1alpha1.StepProducerSearched:
		return fmt.Sprintf("The producer must search the documents%s with ClientSystem %s, and find one.", of, producer.Name)
	case v1alpha1.StepProducerRead:
		return fmt.Sprintf("The producer must read, with ClientSystem %s, a document%s that the organizer stored (%s).", producer.Name, of, formats(producer))
	case v1alpha1.StepProducerStored:
		return fmt.Sprintf("The producer must store, with ClientSystem %s, a document%s (%s).", producer.Name, of, formats(producer))
	case v1alpha1.StepOrganizerSearched:
		return fmt.Sprintf("The organizer must search the documents%s with ClientSystem %s, and find one.", of, organizer.Name)
	case v1alpha1.StepOrganizerRead:
		return fmt.Sprintf("The organizer must read, with ClientSystem %s, the document%s that the producer stored (%s).", organizer.Name, of, formats(organizer))
	case v1alpha1.StepRelationshipEnded:
		return fmt.Sprintf("The organizer must end the relationship%s by its client relationship document, with ClientSystem %s.", of, organizer.Name)
	default:
		return fmt.Sprintf("The producer must make one more request%s with ClientSystem %s, which the archive refuses.", of, producer.Name)
	}
}

func formats(s System) string {
	out := make([]string, len(s.Formats))
	for i, f := range s.Formats {
		out[i] = string(f)
	}
	return orNone(strings.Join(out, " or "))
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

func sharedCardText(first, second *v1alpha1.TestEvent) string {
	return fmt.Sprintf("Requests %d and %d came with one professional's card, though one was the organizer's and the other the producer's: one system played both parts. "+
		"The parties must make another test, each with its own system and card.", first.Number, second.Number)
}

// notes tell of requests with certificates that are not of the test, such as one for production.
func notes(events []v1alpha1.TestEvent) (out []string) {
	var foreign []string
	for i := range events {
		if events[i].Party == "" {
			foreign = append(foreign, fmt.Sprint(events[i].Number))
		}
	}
	if len(foreign) > 0 {
		out = append(out, fmt.Sprintf("Requests with a certificate that is not of this test were seen (%s): they count for nothing. "+
			"Each party must use the credential that it was given for the test, and not its own for production.", strings.Join(foreign, ", ")))
	}
	return out
}

// cut keeps a message as short as the status allows.
func cut(text string) string {
	const longest = 1024
	if len(text) <= longest {
		return text
	}
	end := longest - len("…")
	for end > 0 && text[end]&0xC0 == 0x80 { // not inside a rune
		end--
	}
	return text[:end] + "…"
}
