// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

// documentNamed checks that an operation on a document has one.
func (c *inquiry) documentNamed(allowance allowance) bool {
	if allowance.document && c.req.Document == nil {
		return c.deny(ReasonDocumentMissing)
	}
	return true
}

// documentHere checks that the document belongs to the registry.
func (c *inquiry) documentHere() bool {
	if c.req.Document != nil && c.req.Document.Registry != c.req.Registry {
		return c.deny(ReasonDocumentOtherRegistry)
	}
	return true
}

// documentNew checks that the document is no old client data. It comes before what is asked of the client, so that
// no refusal tells that there is such a document.
func (c *inquiry) documentNew() bool {
	if c.req.Document != nil && c.req.Document.Old {
		return c.deny(ReasonOldClientData)
	}
	return true
}

// documentOfClient checks that the document is of the client that the request names, if it names one.
func (c *inquiry) documentOfClient() bool {
	if c.req.Document != nil && !c.req.Client.IsZero() && c.req.Document.Client != c.req.Client {
		return c.deny(ReasonDocumentOtherClient)
	}
	return true
}
