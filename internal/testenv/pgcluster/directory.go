// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pgcluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// longestSocket is how long the path of a Unix socket may be on the systems there are.
const longestSocket = 103

// directory holds one cluster: its data, its socket, its log, and a lock that this program holds while it uses
// them. The account that the server runs as can reach it and owns what it must write.
type directory struct {
	path string
	lock *os.File // the kernel drops the lock with the process
}

func makeDirectory(in string, who *account) (*directory, error) {
	path, err := os.MkdirTemp(in, dirPrefix)
	if err != nil {
		return nil, err
	}
	d := &directory{path: path}
	if err := d.fill(who); err != nil {
		return nil, errors.Join(err, d.remove())
	}
	return d, nil
}

func (d *directory) fill(who *account) (err error) {
	if len(d.run())+len("/.s.PGSQL.00000") > longestSocket {
		return fmt.Errorf("the directory %s has too long a path for a socket", filepath.Dir(d.path))
	}
	// Locked under another name first, so that nobody takes it for a leftover meanwhile.
	unlocked := filepath.Join(d.path, "new-lock")
	if d.lock, err = os.OpenFile(unlocked, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return err
	}
	if err := os.Rename(unlocked, filepath.Join(d.path, "lock")); err != nil {
		return err
	}
	for _, sub := range []string{d.data(), d.run()} {
		if err := errors.Join(os.Mkdir(sub, 0o700), who.own(sub)); err != nil {
			return err
		}
	}
	return os.Chmod(d.path, 0o711) // the server's account must pass; what is inside is closed
}

func (d *directory) data() string { return filepath.Join(d.path, "data") }
func (d *directory) run() string  { return filepath.Join(d.path, "run") }
func (d *directory) log() string  { return filepath.Join(d.path, "server.log") }

func (d *directory) remove() error {
	err := os.RemoveAll(d.path)
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	return err
}

// removeLeftovers removes the clusters of programs that crashed. Best effort: what cannot be removed now, or is
// not certainly a leftover, stays.
func removeLeftovers(in string) {
	locks, err := filepath.Glob(filepath.Join(in, dirPrefix+"*", "lock"))
	if err != nil {
		return
	}
	for _, path := range locks {
		removeLeftover(path)
	}
}

func removeLeftover(path string) {
	lock, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer lock.Close()
	if info, err := lock.Stat(); err != nil || !ownedByUs(info) {
		return
	}
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return // its program lives
	}
	dir := filepath.Dir(path)
	if serverLives(dir) {
		return
	}
	_ = os.RemoveAll(dir)
}

func ownedByUs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().IsRegular() && int(stat.Uid) == os.Geteuid()
}

// serverLives tells whether the process that the data directory names is there; it may be another one by now.
func serverLives(dir string) bool {
	content, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return false
	}
	var pid int
	if _, err := fmt.Sscan(string(content), &pid); err != nil || pid <= 0 {
		return false
	}
	return !allGone([]int{pid})
}
