// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// check tells what of the cluster there is, and changes nothing.
func check(at place) error {
	left, err := remains(at)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		say("nothing of a cluster is left")
		return nil
	}
	return fmt.Errorf("%w:\n  %s", errLeft, strings.Join(left, "\n  "))
}

// remains are the processes, control groups, mounts and files of the cluster.
func remains(at place) ([]string, error) { return leftovers(at, nil) }

// leftovers are what remains, and who else is in one of the namespaces that were the
// cluster's: links, addresses and firewall tables are in these and nowhere else.
func leftovers(at place, namespaces []string) ([]string, error) {
	g, err := groupsOf(at)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, dir := range g.exist() {
		left = append(left, "control group "+dir)
	}
	for _, pid := range g.members() {
		left = append(left, fmt.Sprintf("process %d in its control groups: %s", pid, commandLine(pid)))
	}
	for _, pid := range allProcesses() {
		for _, namespace := range namespacesOf(pid) {
			if slices.Contains(namespaces, namespace) {
				left = append(left, fmt.Sprintf("process %d in its namespace %s: %s", pid, namespace, commandLine(pid)))
			}
		}
	}
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for _, point := range mountsIn(string(mountinfo), at.dir) {
		left = append(left, "mount "+point)
	}
	for _, namespace := range namespaces {
		if strings.Contains(string(mountinfo), " "+namespace+" ") {
			left = append(left, "mounted namespace "+namespace)
		}
	}
	if _, err := os.Stat(at.dir); !errors.Is(err, os.ErrNotExist) {
		left = append(left, "directory "+at.dir)
	}
	return left, nil
}

// mountsIn are the mount points in a directory, or that show something of it elsewhere.
func mountsIn(mountinfo, dir string) []string {
	var points []string
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		for _, path := range fields[3:5] { // what of its file system is mounted, and where
			if path == dir || strings.HasPrefix(path, dir+"/") {
				points = append(points, fields[4])
				break
			}
		}
	}
	return points
}

func commandLine(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " "))
}
