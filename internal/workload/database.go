// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// databasePort is that of PostgreSQL where a URI says none.
const databasePort = 5432

// errURI says that a text is no URI of a database. It quotes nothing: the text holds a password.
var errURI = errors.New("it must be a connection URI of PostgreSQL, as postgresql://USER:PASSWORD@HOST:PORT/DATABASE")

// DatabasePorts are the ports of the servers that a connection URI of PostgreSQL names, of which there may be several.
func DatabasePorts(uri string) ([]int32, error) {
	uri = strings.TrimSpace(uri)
	rest, ok := strings.CutPrefix(uri, "postgres://")
	if !ok {
		if rest, ok = strings.CutPrefix(uri, "postgresql://"); !ok {
			return nil, errURI
		}
	}
	authority, query := rest, ""
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
		_, query, _ = strings.Cut(rest[end:], "?")
	}
	hosts := authority[strings.LastIndexByte(authority, '@')+1:]
	var ports []int32
	for host := range strings.SplitSeq(hosts, ",") {
		number, err := portOf(host)
		if err != nil {
			return nil, err
		}
		ports = append(ports, number)
	}
	// What the query says counts before what the authority does.
	said, err := url.ParseQuery(query)
	if err != nil {
		return nil, errURI
	}
	if list := said.Get("port"); list != "" {
		ports = nil
		for text := range strings.SplitSeq(list, ",") {
			number, err := numberOf(text)
			if err != nil {
				return nil, err
			}
			ports = append(ports, number)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports), nil
}

// portOf reads the port of HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT.
func portOf(host string) (int32, error) {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return databasePort, nil
	}
	if text := host[colon+1:]; text != "" {
		return numberOf(text)
	}
	return databasePort, nil
}

func numberOf(text string) (int32, error) {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return 0, errURI
	}
	return int32(number), nil
}
