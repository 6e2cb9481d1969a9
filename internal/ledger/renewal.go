// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// RenewAt chooses when an entry is renewed: 60 to 80 % into its life, spread
// by a hash so that credentials issued together are not renewed together. It is
// chosen once and persisted: chosen anew at each pass, it could move away forever.
//
// Life counts from the issue, not from a backdated NotBefore: with a short life
// and a long backdate the point would else lie in the past.
func RenewAt(ownerUID, entryID string, issued, notAfter time.Time) time.Time {
	life := int64(notAfter.Sub(issued) / time.Second)
	if life <= 0 {
		return notAfter
	}
	first, last := (life*6+9)/10, life*8/10 // whole seconds within 60 and 80 %
	if last <= first {
		return issued.Add(time.Duration(first) * time.Second)
	}
	sum := sha256.Sum256([]byte(ownerUID + "\x00" + entryID))
	offset := binary.BigEndian.Uint64(sum[:8]) % uint64(last-first+1)
	return issued.Add(time.Duration(first+int64(offset)) * time.Second)
}
