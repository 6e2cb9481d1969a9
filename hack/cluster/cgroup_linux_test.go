// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

func TestTheTreesOfControlGroupsAreRead(t *testing.T) {
	const (
		memory  = "30 25 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
		cpu     = "31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct,release_agent=/x\n"
		again   = "39 25 0:26 / /elsewhere/memory rw,relatime - cgroup cgroup rw,memory\n"
		systemd = "32 25 0:28 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n"
		unified = "33 25 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
		two     = "34 25 0:29 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup rw,nsdelegate\n"
		other   = "35 25 0:30 / /proc rw,relatime - proc proc rw\nnonsense\n"
	)
	for name, test := range map[string]struct {
		text string
		want []hierarchy
	}{
		"version 1": {other + memory + cpu + again, []hierarchy{{"/sys/fs/cgroup/memory", "memory"}, {"/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct"}}},
		"version 1, and an empty tree of version 2": {memory + systemd + unified,
			[]hierarchy{{"/sys/fs/cgroup/memory", "memory"}, {"/sys/fs/cgroup/systemd", "xattr,none,name=systemd"}}},
		"version 2": {two + other, []hierarchy{{"/sys/fs/cgroup", ""}}},
		"version 2, and systemd's own tree of version 1": {systemd + unified, []hierarchy{{"/sys/fs/cgroup/unified", ""}}},
		"none": {other, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hierarchies(test.text); !slices.Equal(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestMembersAreFoundInAllGroupsBelow(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for file, text := range map[string]string{
		filepath.Join(first, "cgroup.procs"):                    "7\n12\n",
		filepath.Join(first, "kubepods", "pod", "cgroup.procs"): "40\n",
		filepath.Join(second, "cgroup.procs"):                   "12\n0\n99\n", // 0: of another namespace
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g := groups{first, second, filepath.Join(first, "absent")}
	if got, want := g.members(), []int{7, 12, 40, 99}; !reflect.DeepEqual(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
}

func TestMountsOfTheClusterAreFound(t *testing.T) {
	const text = "40 1 8:1 / / rw - ext4 /dev/vda rw\n" +
		"41 40 0:50 / /cache/cluster/var/lib/kubelet/pods/x rw - tmpfs tmpfs rw\n" +
		"42 40 8:1 /cache/cluster/var/log /var/log rw - ext4 /dev/vda rw\n" +
		"43 40 0:51 / /cache/cluster-other rw - tmpfs tmpfs rw\n"
	want := []string{"/cache/cluster/var/lib/kubelet/pods/x", "/var/log"}
	if got := mountsIn(text, "/cache/cluster"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDownRemovesNoDirectoryThatUpDidNotMake(t *testing.T) {
	at := place{dir: t.TempDir()}
	precious := at.path("precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := removeDir(at); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(at.marker(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := removeDir(at); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(at.dir); err == nil {
		t.Error("still there")
	}
}

func TestOneUpOrDownWorksAtATime(t *testing.T) {
	at := place{dir: t.TempDir()}
	unlock, err := lock(at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(at); err == nil {
		t.Error("a second lock was given")
	}
	unlock()
	unlock, err = lock(at)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
