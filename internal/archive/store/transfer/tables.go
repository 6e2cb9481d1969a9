// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer

// tables are all that a store consists of, but for what it says of itself (archive_info), of its schema (schema_writers), who
// gives leaves of the log (log_lease) and what the readiness probe leaves. A test holds the list to both engines' schemas.
var tables = []table{
	{
		name:    "registries",
		key:     []string{"registry_id"},
		columns: []string{"registry_id", "oid", "created_us"},
	},
	{
		name:    "clients",
		key:     []string{"client_id"},
		columns: []string{"client_id", "registry_id", "created_us", "non_disclosure", "born_on", "died_on", "in_use"},
	},
	{
		name:    "client_codes",
		key:     []string{"registry_id", "code_hash"},
		columns: []string{"registry_id", "code_hash", "client_id", "kind", "sealed", "created_us", "replaced_us"},
	},
	{
		name:    "client_keys",
		key:     []string{"client_id"},
		columns: []string{"client_id", "key_id", "wrapped"},
	},
	{
		name:    "matters",
		key:     []string{"registry_id", "matter"},
		columns: []string{"registry_id", "matter", "client_ids", "service_tasks", "opened_us", "closed_us", "events"},
	},
	{
		name:    "matter_clients",
		key:     []string{"client_id", "registry_id", "matter"},
		columns: []string{"client_id", "registry_id", "matter"},
	},
	{
		name: "matter_events",
		key:  []string{"registry_id", "matter", "event"},
		columns: []string{
			"registry_id", "matter", "event", "kind", "at_us", "recorded_us", "organization", "unit", "professional", "role",
		},
	},
	{
		name: "documents",
		key:  []string{"document_id"},
		columns: []string{
			"document_id", "registry_id", "client_ids", "document_type", "current_version", "first_stored_us",
			"annulled_us", "annul_reason", "annulled_organization", "annulled_unit", "annulled_professional", "annulled_role",
			"old_data",
		},
	},
	{
		name: "document_versions",
		key:  []string{"document_id", "version"},
		columns: []string{
			"document_id", "version", "matter", "service_tasks",
			"author_organization", "author_unit", "author_professional", "author_role", "created_us", "stored_us",
			"language", "schema_version", "non_disclosure", "display", "display_from_us",
			"json_size", "json_digest", "xhtml_size", "xhtml_digest", "correction_reason", "view_revision", "signatures",
		},
	},
	{
		name:    "document_bodies",
		key:     []string{"document_id", "version", "content_type"},
		columns: []string{"document_id", "version", "content_type", "body"},
	},
	{
		name:    "document_signatures",
		key:     []string{"document_id", "version", "content_type"},
		columns: []string{"document_id", "version", "content_type", "jws"},
	},
	{
		name:    "document_clients",
		key:     []string{"client_id", "registry_id", "annulled", "first_stored_us", "document_id"},
		columns: []string{"client_id", "registry_id", "annulled", "first_stored_us", "document_id"},
	},
	{
		name:    "document_tasks",
		key:     []string{"client_id", "registry_id", "annulled", "service_task", "first_stored_us", "document_id"},
		columns: []string{"client_id", "registry_id", "annulled", "service_task", "first_stored_us", "document_id"},
	},
	{
		name:    "document_matters",
		key:     []string{"registry_id", "matter", "annulled", "first_stored_us", "document_id"},
		columns: []string{"registry_id", "matter", "annulled", "first_stored_us", "document_id", "client_id"},
	},
	{
		name: "relationship_documents",
		key:  []string{"document_id"},
		columns: []string{
			"document_id", "registry_id", "client_id", "version", "service_tasks", "unit", "start_us", "end_us",
			"procurement", "annulled_us", "agreement", "detail", "agreed_version", "object_uid",
		},
	},
	{
		name:    "relationship_versions",
		key:     []string{"document_id", "version"},
		columns: []string{"document_id", "version", "unit", "start_us", "end_us", "procurement"},
	},
	{
		name: "relationship_history",
		key:  []string{"object_uid", "ordinal"},
		columns: []string{
			"object_uid", "ordinal", "revision", "registry_oid", "client_id", "unit", "service_tasks", "start_us", "end_us",
			"accepted", "deleted", "missed", "document_id", "recorded_us",
		},
	},
	{
		name: "destructions",
		key:  []string{"kind", "subject"},
		columns: []string{
			"kind", "subject", "registry_oid", "client_ids", "document_type", "service_tasks", "versions",
			"rule", "counted_from", "started_on", "due_on", "destroyed_us",
		},
	},
	{
		name: "test_registries",
		key:  []string{"registry_oid"},
		columns: []string{
			"registry_oid", "test_uid", "test_namespace", "test_name", "salt", "opened_us", "closed_us", "observed_us",
			"destroyed_us", "documents", "clients", "writes",
		},
	},
	{
		name: "log_withholdings",
		key:  []string{"withholding_id"},
		columns: []string{
			"withholding_id", "registry_oid", "client_id", "log_ids", "from_us", "until_us", "reason", "decision", "digest",
			"made_us", "organization", "professional", "role",
			"lifted_us", "lift_decision", "lifted_organization", "lifted_professional", "lifted_role",
		},
	},
	{
		name: "access_log",
		key:  []string{"time_us", "log_id"},
		columns: []string{
			"time_us", "log_id", "request_id", "registry_oid", "operation", "outcome", "reason",
			"client_id", "caller", "organization", "unit", "certificate_thumbprint",
			"professional", "professional_role", "card_thumbprint", "assertion_key", "assertion_expires_us",
			"criteria", "document_ids", "document_count",
			"relationship_uid", "relationship_revision", "grant_uid", "grant_revision", "registry_uid", "registry_revision",
			"view_age_ms", "cut_at",
		},
	},
	{
		name:    "log_pending",
		key:     []string{"time_us", "log_id"},
		columns: []string{"time_us", "log_id"},
	},
	{
		name:    "log_months",
		key:     []string{"month"},
		columns: []string{"month", "size"},
	},
	{
		name: "log_leaves",
		key:  []string{"month", "leaf_index"},
		columns: []string{
			"month", "leaf_index", "time_us", "log_id", "salt", "sequenced_us", "client_sequence", "client_previous",
		},
	},
	{
		name:    "log_client_heads",
		key:     []string{"client_id", "registry_oid"},
		columns: []string{"client_id", "registry_oid", "client_sequence", "entry"},
	},
	{
		name:    "log_tiles",
		key:     []string{"month", "level", "tile_index"},
		columns: []string{"month", "level", "tile_index", "hashes"},
	},
	{
		name:    "log_checkpoints",
		key:     []string{"month", "size"},
		columns: []string{"month", "size", "made_us", "note", "kept"},
	},
}
