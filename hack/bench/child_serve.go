// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
)

// service is what a child does; the configuration comes first, questions after it.
type service interface {
	start(ctx context.Context, config string) (answer, error)
	answer(ctx context.Context, q question) (answer, error)
}

// beChild serves the parent until it closes the pipe.
func beChild(ctx context.Context, kind string) error {
	services := map[string]service{
		"manager": &managerChild{}, "archive": &archiveChild{}, "archive-heap": &archiveHeapChild{}, "bare-server": &bareServerChild{},
	}
	s, ok := services[kind]
	if !ok {
		return fmt.Errorf("no child is called %q", kind)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var q question
		if err := in.Decode(&q); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		a, err := serve(ctx, s, q)
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
}

func serve(ctx context.Context, s service, q question) (answer, error) {
	switch q.Op {
	case "config":
		return s.start(ctx, q.Arg)
	case "heap":
		return answer{Values: map[string]float64{"heap": heapNow(), "sys": heapSys()}}, nil
	case "processor":
		return answer{Values: map[string]float64{"seconds": processorTime().Seconds()}}, nil
	case "profile":
		f, err := os.Create(q.Arg)
		if err != nil {
			return answer{}, err
		}
		return answer{}, pprof.StartCPUProfile(f)
	case "profile-end":
		pprof.StopCPUProfile()
		return answer{}, nil
	}
	return s.answer(ctx, q)
}

// heapNow is what is alive on the heap.
func heapNow() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// heapSys is the most that the heap has taken from the system.
func heapSys() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapSys)
}

func noQuestion(q question) (answer, error) {
	return answer{}, fmt.Errorf("no question is called %q", q.Op)
}
