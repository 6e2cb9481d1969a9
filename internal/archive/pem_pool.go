// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/x509"
	"sync/atomic"
)

// PEMPool is a set of authorities that may change while the server runs. The zero value holds none.
type PEMPool struct {
	pool atomic.Pointer[x509.CertPool]
}

// SetPEM replaces the authorities by those in the PEM text. Without any certificate in it the set
// becomes empty, which lets nobody in.
func (p *PEMPool) SetPEM(text string) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) {
		pool = nil
	}
	p.pool.Store(pool)
}

// Pool gives the authorities; nil while there are none.
func (p *PEMPool) Pool() *x509.CertPool { return p.pool.Load() }
