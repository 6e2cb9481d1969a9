// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	driver "modernc.org/sqlite"
)

const defaultReaders = 4

// prepareFile makes the directory and the file, readable by this user alone, and gives the file's
// absolute path. SQLite gives its side files the mode of the main one.
func prepareFile(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	file := filepath.Join(dir, FileName)
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return "", err
	}
	return file, syncDir(dir)
}

// syncDir makes the file's name in the directory as durable as its content.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, fs.ErrInvalid) { // a file system that cannot sync a directory
		err = nil
	}
	return errors.Join(err, d.Close())
}

// open gives a pool of size connections. Pragmas are per connection, so they ride in the DSN.
func open(file string, size int, extra url.Values) (*sql.DB, error) {
	params := url.Values{
		"_busy_timeout": {strconv.FormatInt(lockTimeout.Milliseconds(), 10)},
		"_foreign_keys": {"on"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_dqs":          {"false"},
		"_defensive":    {"true"},
		// What is deleted is overwritten with zeros.
		"_pragma": {"journal_size_limit(67108864)", "cache_size(-16384)", "wal_autocheckpoint(4000)", "secure_delete(on)"},
	}
	for key, values := range extra {
		params[key] = append(params[key], values...)
	}
	dsn := url.URL{Scheme: "file", Path: file, RawQuery: params.Encode()}
	connector, err := driver.NewConnector(dsn.String())
	if err != nil {
		return nil, fmt.Errorf("opening the data file: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

func openReaders(file string, size int) (*sql.DB, error) {
	if size <= 0 {
		size = defaultReaders
	}
	return open(file, size, url.Values{"_query_only": {"on"}})
}
