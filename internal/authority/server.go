// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

// ServerAction is what is next of the Secret of a server certificate.
type ServerAction string

// The actions.
const (
	// ServerLeave: nothing to do, or nothing that can be done.
	ServerLeave ServerAction = "Leave"
	// ServerTell: give it the bundle, beside the certificate that it holds.
	ServerTell ServerAction = "Tell"
	// ServerIssue: issue a certificate, with the bundle.
	ServerIssue ServerAction = "Issue"
)

// ServerSeen is what surrounds a server certificate.
type ServerSeen struct {
	// Present tells that the Secret is there, Serves that its certificate is as it should be.
	Present, Serves bool
	// Told tells that it holds State.Bundle.
	Told bool
	// CanIssue tells that the authority that issues is there with its key.
	CanIssue bool
}

// NextOfServer decides what is next of the Secret of a server certificate. Servers are told of the authorities also when
// none can issue for them: the authority that is to take a lost one's place waits for that.
func NextOfServer(o ServerSeen) ServerAction {
	switch {
	case !o.Serves && o.CanIssue:
		return ServerIssue
	case o.Present && !o.Told:
		return ServerTell
	default:
		return ServerLeave
	}
}
