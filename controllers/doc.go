// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers reconciles the resources of the register access right.
//
// Each kind has three files: x_controller.go wires and tells the order of work,
// x_phases.go gathers facts and acts on them, x_status.go alone sets conditions.
// What needs no client lives in internal/: the prerequisites in eligibility, the
// credential ledger's steps in ledger, the rule of enforced endings in enforcement.
package controllers
