// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/testenv"
)

// mounted gives a file system in memory, which ends with the test.
func mounted(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options)
	if errors.Is(err, syscall.EPERM) {
		testenv.SkipUninstalled(t, "only root mounts file systems")
	}
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// TestAVolumeThatTakesNoStoreIsTold starts archives on a volume that is read-only, on one that is full, and on one that
// belongs to somebody else.
func TestAVolumeThatTakesNoStoreIsTold(t *testing.T) {
	t.Parallel()
	s := shared.of(t).begin(t, settings{})
	for _, v := range []struct {
		reason  failure.Reason
		prepare func(g Gomega, dir string)
	}{
		{failure.VolumeReadOnly, func(g Gomega, dir string) {
			g.Expect(syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")).To(Succeed())
		}},
		{failure.VolumeFull, func(g Gomega, dir string) { fill(g, filepath.Join(dir, "others")) }},
	} {
		t.Run(string(v.reason), func(t *testing.T) {
			dir := mounted(t, "size=256k")
			v.prepare(NewWithT(t), dir)
			s.binary("volume-0", nil).failsToStart(t, mishap{reason: v.reason}, "--data-dir", filepath.Join(dir, "data"))
		})
	}
}

// fill writes a file until there is no room.
func fill(g Gomega, file string) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	g.Expect(err).NotTo(HaveOccurred())
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err = f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	g.Expect(err).To(MatchError(syscall.ENOSPC))
	g.Expect(f.Close()).To(Succeed())
}

// TestReadinessTellsOfAFullVolume fills the volume under an archive that serves, and makes room again.
func TestReadinessTellsOfAFullVolume(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	dir := mounted(t, "size=16m")
	b := s.binary("volume-1", nil, "--data-dir", filepath.Join(dir, "data"))
	g.Expect(b.start(t)).To(Succeed())
	others := filepath.Join(dir, "others")
	g.Eventually(func() string { fill(g, others); return b.ask("/readyz") }).Should(HavePrefix("VolumeFull: "))
	g.Expect(os.Remove(others)).To(Succeed())
	g.Eventually(func() string { return b.ask("/readyz") }).Should(Equal("ok\n"))
}
