// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/access"
)

func TestReasons(t *testing.T) {
	g := NewWithT(t)
	codes := map[string]bool{}
	texts := map[access.Text]bool{}
	for _, r := range access.Reasons() {
		g.Expect(r.Code()).To(MatchRegexp(`^[a-z]+(-[a-z]+)*$`), "reason %d", r)
		g.Expect(codes[r.Code()]).To(BeFalse(), "%s is there twice", r)
		codes[r.Code()] = true
		g.Expect(r.Type()).To(Equal("https://valtuus.io/problems/" + r.Code()))
		g.Expect(http.StatusText(r.Status())).NotTo(BeEmpty())
		g.Expect(r.Status() < 300).To(Equal(r == access.ReasonAllowed))
		for _, lang := range []access.Lang{access.Finnish, access.Swedish, access.English} {
			text := r.Text(lang)
			g.Expect(text.Title).NotTo(BeEmpty(), "%s in %s", r, lang)
			g.Expect(text.Title).NotTo(HaveSuffix("."), "%s in %s", r, lang)
			g.Expect(text.Detail).To(MatchRegexp(`^\p{Lu}.*\.$`), "%s in %s", r, lang)
			g.Expect(texts[text]).To(BeFalse(), "%s in %s has another one's text", r, lang)
			texts[text] = true
		}
	}
	g.Expect(codes).To(HaveLen(35))
}

func TestReasonsOutOfRange(t *testing.T) {
	g := NewWithT(t)
	for _, r := range []access.Reason{0, 200} {
		g.Expect(r.Code()).To(BeEmpty())
		g.Expect(r.Type()).To(BeEmpty())
		g.Expect(r.Status()).To(Equal(http.StatusInternalServerError))
		g.Expect(r.Text(access.English)).To(BeZero())
	}
	g.Expect(access.ReasonAllowed.Text(99)).To(Equal(access.ReasonAllowed.Text(access.Finnish)))
}

// The words of the glossary; the ones that differ by a prefix must not be mixed up.
func TestReasonTextsKeepToTheGlossary(t *testing.T) {
	g := NewWithT(t)
	userRight := regexp.MustCompile(`(?i)(^|[^n])käyttöoikeu`)
	for _, r := range access.Reasons() {
		fi, sv, en := r.Text(access.Finnish), r.Text(access.Swedish), r.Text(access.English)
		g.Expect(userRight.MatchString(fi.Title+" "+fi.Detail)).To(BeFalse(), "%s speaks of a worker's user right", r)
		g.Expect(strings.ToLower(sv.Title+sv.Detail)).NotTo(ContainSubstring("åtkomsträttighet"), "%s", r)
		g.Expect(strings.ToLower(en.Title+en.Detail)).NotTo(ContainSubstring("organis"), "%s is not in US spelling", r)
	}
}

func TestMatchLang(t *testing.T) {
	g := NewWithT(t)
	for header, want := range map[string]access.Lang{
		"":                        access.Finnish,
		"fi":                      access.Finnish,
		"sv-FI, fi;q=0.8":         access.Swedish,
		"en-GB;q=0.9, de":         access.English,
		"de, fr":                  access.Finnish,
		"not a language ; q = no": access.Finnish,
	} {
		g.Expect(access.MatchLang(header)).To(Equal(want), "%q", header)
	}
	g.Expect(access.Swedish.String()).To(Equal("sv"))
	g.Expect(access.Lang(9).String()).To(Equal("fi"))
}
