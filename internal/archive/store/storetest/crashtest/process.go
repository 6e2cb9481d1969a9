// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// Ack is a write that a process had acknowledged before it was killed.
type Ack struct {
	// Request is the id of its row.
	Request string
	// Document is the nil UUID for a row alone.
	Document uuid.UUID
	Version  int
	Annulled bool
	// Mark is how far the storage was, as Storage.Mark tells.
	Mark int64
}

// process is a running writer, seen from its parent.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	// news has an element after there is something new.
	news chan struct{}
	// ended is closed when there are no more lines.
	ended chan struct{}

	mu          sync.Mutex
	acks        []Ack
	checkpoints [][]byte
}

// start starts this program again, as a writer.
func start(ctx context.Context, config writerConfig) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self), news: make(chan struct{}, 1), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), writerEnv+"="+string(text))
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.take(lines.Text())
		}
	}()
	return p, nil
}

// take takes in a line, unless the kill has cut it.
func (p *process) take(line string) {
	line, whole := strings.CutSuffix(line, " ok")
	if !whole {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if text, ok := strings.CutPrefix(line, "checkpoint "); ok {
		if note, err := base64.StdEncoding.DecodeString(text); err == nil {
			p.checkpoints = append(p.checkpoints, note)
		}
	} else {
		var (
			one Ack
			id  string
		)
		if n, _ := fmt.Sscanf(line, "row %s %s %d %t %d", &one.Request, &id, &one.Version, &one.Annulled, &one.Mark); n < 5 {
			return
		}
		one.Document = uuid.MustParse(id)
		p.acks = append(p.acks, one)
	}
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// reach waits until so many writes and checkpoints are acknowledged.
func (p *process) reach(ctx context.Context, acks, checkpoints int) error {
	for {
		p.mu.Lock()
		there := len(p.acks) >= acks && len(p.checkpoints) >= checkpoints
		p.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-p.news:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.ended:
			_ = p.cmd.Wait()
			return fmt.Errorf("the writer ended by itself: %s", bytes.TrimSpace(p.stderr.Bytes()))
		}
	}
}

// told is how much is acknowledged by now.
func (p *process) told() (acks, checkpoints int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.acks), len(p.checkpoints)
}

// kill ends the process without warning, and waits until it is gone and all that it said is read.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	<-p.ended
	_ = p.cmd.Wait() // it was killed
	if err == nil || errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
