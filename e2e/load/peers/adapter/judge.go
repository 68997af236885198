package main

import (
	"context"
	"net/http"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/authzed-go/v1"
	"github.com/authzed/grpcutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

type judge struct {
	verifier *verifier
	client   *authzed.Client
}

func dial(address, key string) (*authzed.Client, error) {
	return authzed.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpcutil.WithInsecureBearerToken(key))
}

// The one endpoint of the bench. A path that is nobody's is refused.
func endpointOf(method, target string) string {
	path, _, _ := strings.Cut(target, "?")
	rest, found := strings.CutPrefix(path, "/employees/")
	if method != http.MethodGet || !found || rest == "" || strings.Contains(rest, "/") {
		return ""
	}
	return "getEmployee"
}

// The HTTP status of the answer: 200, 401, 403, or 503 where it cannot be told.
func (j *judge) decide(ctx context.Context, method, target, authorization string) int {
	subject, ok := j.verifier.subject(authorization)
	if !ok {
		return http.StatusUnauthorized
	}
	endpoint := endpointOf(method, target)
	if endpoint == "" {
		return http.StatusForbidden
	}
	answer, err := j.client.CheckPermission(ctx, &v1.CheckPermissionRequest{
		Consistency: &v1.Consistency{Requirement: &v1.Consistency_MinimizeLatency{MinimizeLatency: true}},
		Resource:    &v1.ObjectReference{ObjectType: "endpoint", ObjectId: endpoint},
		Permission:  "call",
		Subject:     &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: subject}},
	})
	if err != nil {
		return http.StatusServiceUnavailable
	}
	if answer.Permissionship != v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION {
		return http.StatusForbidden
	}
	return http.StatusOK
}
