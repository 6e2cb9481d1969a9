// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// lookEvery is how often the cluster is looked at, and tellEvery how often what is left is told of when it stays the same.
const (
	lookEvery = time.Second
	tellEvery = 15 * time.Second
	// mostNamed is how many are named in a line of progress. The final word names all.
	mostNamed = 3
)

// Options say how to revoke.
type Options struct {
	// Client must not be a cache.
	Client client.Client
	Clock  clock.WithTicker
	// Out takes what is done, and where it is.
	Out io.Writer
	// Timeout is how long to wait for the controllers and the archive.
	Timeout time.Duration
	// DryRun tells what would be done, and changes nothing.
	DryRun bool
}

// LiveError says that something may still open the archive.
type LiveError struct {
	Waited time.Duration
	Left   []string // what, and what is waited for
}

func (e *LiveError) Error() string {
	return fmt.Sprintf("after %s these are still live:\n  %s", e.Waited, strings.Join(e.Left, "\n  "))
}

// Run ends every credential and returns when none opens the archive any more. Run again, it goes on where it was cut.
func Run(ctx context.Context, o Options) error {
	if o.DryRun {
		return tellOnly(ctx, o)
	}
	deadline := o.Clock.Now().Add(o.Timeout)
	r := run{Options: o}
	for {
		left, err := r.look(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case apierrors.IsForbidden(err):
			return err
		case err == nil && len(left) == 0:
			_, err := fmt.Fprintln(o.Out, "nothing is live: no credential opens the archive")
			return err
		case !o.Clock.Now().Before(deadline):
			return errors.Join(&LiveError{Waited: o.Timeout, Left: texts(left)}, err)
		case err != nil:
			_, _ = fmt.Fprintln(o.Out, "will try again:", err)
		default:
			r.tell(left)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-o.Clock.After(lookEvery):
		}
	}
}

type run struct {
	Options
	last   string
	toldAt time.Time
	left   []live // when it was last known
}

// look ends what is not ended, and returns what is still live.
func (r *run) look(ctx context.Context) ([]live, error) {
	found, err := read(ctx, r.Client)
	if err != nil {
		return r.left, fmt.Errorf("look at the cluster: %w", err)
	}
	list := changes(found)
	r.left = stillLive(found, r.Clock.Now())
	for _, ch := range list {
		_, _ = fmt.Fprintln(r.Out, ch.what)
	}
	return r.left, write(ctx, r.Client, list)
}

// tell prints a line of progress when something has changed, and now and then.
func (r *run) tell(left []live) {
	named := texts(left)
	if len(named) > mostNamed {
		named = append(named[:mostNamed:mostNamed], fmt.Sprintf("and %d more", len(left)-mostNamed))
	}
	line := fmt.Sprintf("%d still live: %s", len(left), strings.Join(named, "; "))
	if now := r.Clock.Now(); line != r.last || now.Sub(r.toldAt) >= tellEvery {
		r.last, r.toldAt = line, now
		_, _ = fmt.Fprintln(r.Out, line)
	}
}

// tellOnly tells what would be done.
func tellOnly(ctx context.Context, o Options) error {
	found, err := read(ctx, o.Client)
	if err != nil {
		return err
	}
	list := changes(found)
	for _, ch := range list {
		if _, err := fmt.Fprintln(o.Out, "would "+ch.what); err != nil {
			return err
		}
	}
	for _, l := range stillLive(found, o.Clock.Now()) {
		if _, err := fmt.Fprintln(o.Out, "live: "+l.String()); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(o.Out, "%d changes would be made; nothing was changed\n", len(list))
	return err
}

func texts(list []live) []string {
	out := make([]string, 0, len(list))
	for _, l := range list {
		out = append(out, l.String())
	}
	return out
}
