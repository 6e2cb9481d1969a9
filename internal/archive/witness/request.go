// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// maxProof is the most hashes of a proof.
const maxProof = 63

var errRequest = errors.New("not a request to add a checkpoint")

// request is the body of add-checkpoint.
type request struct {
	old        int64
	proof      tlog.TreeProof
	checkpoint []byte
}

func (r *request) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", r.old)
	for _, hash := range r.proof {
		b.WriteString(hash.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(r.checkpoint)
	return b.Bytes()
}

func parseRequest(body []byte) (r request, err error) {
	head, checkpoint, found := strings.Cut(string(body), "\n\n")
	if !found {
		return request{}, errRequest
	}
	lines := strings.Split(head, "\n")
	size, found := strings.CutPrefix(lines[0], "old ")
	if r.old, err = strconv.ParseInt(size, 10, 64); !found || err != nil || r.old < 0 || strconv.FormatInt(r.old, 10) != size {
		return request{}, errRequest
	}
	if len(lines)-1 > maxProof {
		return request{}, errRequest
	}
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil || hash.String() != line { // base64 has more than one way to write it
			return request{}, errRequest
		}
		r.proof = append(r.proof, hash)
	}
	r.checkpoint = []byte(checkpoint)
	return r, nil
}
