package main

import (
	"context"
	"net"
	"net/http"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	types "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	status "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

func serve(j *judge, httpAddress, grpcAddress string) error {
	failed := make(chan error, 2)
	go func() {
		failed <- http.ListenAndServe(httpAddress, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := r.Header
			// No body: nginx would open its connection anew for every question.
			w.WriteHeader(j.decide(r.Context(), h.Get("X-Original-Method"), h.Get("X-Original-URI"), h.Get("Authorization")))
		}))
	}()
	go func() {
		listener, err := net.Listen("tcp", grpcAddress)
		if err != nil {
			failed <- err
			return
		}
		server := grpc.NewServer()
		auth.RegisterAuthorizationServer(server, &envoy{judge: j})
		failed <- server.Serve(listener)
	}()
	return <-failed
}

type envoy struct {
	auth.UnimplementedAuthorizationServer
	judge *judge
}

func (e *envoy) Check(ctx context.Context, request *auth.CheckRequest) (*auth.CheckResponse, error) {
	asked := request.GetAttributes().GetRequest().GetHttp()
	code := e.judge.decide(ctx, asked.GetMethod(), asked.GetPath(), asked.GetHeaders()["authorization"])
	if code == http.StatusOK {
		return &auth.CheckResponse{
			Status: &status.Status{Code: int32(codes.OK)},
			HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: &auth.OkHttpResponse{
				Headers: []*core.HeaderValueOption{},
			}},
		}, nil
	}
	return &auth.CheckResponse{
		Status: &status.Status{Code: int32(codes.PermissionDenied)},
		HttpResponse: &auth.CheckResponse_DeniedResponse{DeniedResponse: &auth.DeniedHttpResponse{
			Status: &types.HttpStatus{Code: types.StatusCode(code)},
		}},
	}, nil
}
