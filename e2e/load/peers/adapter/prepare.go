package main

import (
	"context"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/authzed-go/v1"
)

const schema = `
definition user {}
definition role {
	relation member: user
}
definition service {
	relation reader: role#member
}
definition endpoint {
	relation service: service
	relation caller: role#member
	permission call = caller + service->reader
}
`

type model struct {
	users, roles, endpoints int
	user                    string
}

// Everybody holds a role, and every role calls some endpoints; the first user is the only one who may call getEmployee.
func prepare(client *authzed.Client, m model) error {
	ctx := context.Background()
	if _, err := client.WriteSchema(ctx, &v1.WriteSchemaRequest{Schema: schema}); err != nil {
		return err
	}
	batch := make([]*v1.RelationshipUpdate, 0, 1000)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := client.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: batch})
		batch = batch[:0]
		return err
	}
	add := func(resource, id, relation, subject, subjectID, subjectRelation string) error {
		batch = append(batch, &v1.RelationshipUpdate{
			Operation: v1.RelationshipUpdate_OPERATION_TOUCH,
			Relationship: &v1.Relationship{
				Resource: &v1.ObjectReference{ObjectType: resource, ObjectId: id},
				Relation: relation,
				Subject: &v1.SubjectReference{
					Object:           &v1.ObjectReference{ObjectType: subject, ObjectId: subjectID},
					OptionalRelation: subjectRelation,
				},
			},
		})
		if len(batch) == cap(batch) {
			return flush()
		}
		return nil
	}
	if err := add("role", "reader", "member", "user", m.user, ""); err != nil {
		return err
	}
	if err := add("service", "bench", "reader", "role", "reader", "member"); err != nil {
		return err
	}
	if err := add("endpoint", "getEmployee", "service", "service", "bench", ""); err != nil {
		return err
	}
	for user := 1; user < m.users; user++ {
		if err := add("role", fmt.Sprintf("role%d", user%max(m.roles, 1)), "member", "user", fmt.Sprintf("user%d", user), ""); err != nil {
			return err
		}
	}
	for endpoint := 1; endpoint < m.endpoints; endpoint++ {
		if err := add("endpoint", fmt.Sprintf("endpoint%d", endpoint), "caller", "role", fmt.Sprintf("role%d", endpoint%max(m.roles, 1)), "member"); err != nil {
			return err
		}
	}
	return flush()
}
