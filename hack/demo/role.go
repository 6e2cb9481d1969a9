// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/valtuus/valtuus/api/archiveclient"
)

// refuseOtherRole shows that the unit's right is cut to the role of the professional who acts.
func (p *play) refuseOtherRole(ctx context.Context) error {
	worker := p.north.In("en")
	nurse := p.professional()
	nurse.Role = "practical-nurse"
	asNurse := worker.As(nurse)
	query := archiveclient.Query{Client: p.first}
	ofWorker, err := worker.SearchPage(ctx, query, "")
	if err != nil {
		return err
	}
	ofNurse, err := asNurse.SearchPage(ctx, query, "")
	if err != nil {
		return err
	}
	if ofNurse.Total != ofWorker.Total-1 {
		return fmt.Errorf("a practical nurse is told of %d documents and a social worker of %d, instead of one more", ofNurse.Total, ofWorker.Total)
	}
	say("The same unit, another role: a practical nurse searches, and is told of %d documents, a social worker of %d", ofNurse.Total, ofWorker.Total)
	if _, err := worker.Read(ctx, p.relationship.ID, archiveclient.ReadOptions{}); err != nil {
		return err
	}
	say("The unit may read the client relationship document, but a practical nurse's work does not need it")
	_, err = asNurse.Read(ctx, p.relationship.ID, archiveclient.ReadOptions{})
	if err := refusedFor("user-right-missing", err); err != nil {
		return err
	}
	say("Nor does a practical nurse decide on services")
	_, err = asNurse.StoreDocument(ctx, p.document(p.first, "service-decision", "elderly"))
	return refusedFor("user-right-missing", err)
}
