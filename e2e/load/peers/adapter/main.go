// What somebody would put between their gateway and SpiceDB: it verifies the JWT of a request and asks whether its subject may call the
// endpoint. It answers nginx (auth_request) over HTTP and Envoy (ext_authz) over gRPC, from one process. The bench measures it as a peer,
// so it is built to be fast: tokens are verified once and remembered until they expire, answers have no body, one connection to SpiceDB
// carries all checks, and these are asked with minimize_latency, for which SpiceDB caches.
//
//	spicedb-adapter serve -http ADDR -grpc ADDR -spicedb ADDR -key KEY -jwks FILE -issuer URL -audience NAME
//	spicedb-adapter prepare -spicedb ADDR -key KEY -users N -roles N -endpoints N
//
// prepare writes a schema of its own, which replaces whatever schema the server has: give it a server of its own.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("serve or prepare")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	address := flags.String("spicedb", "127.0.0.1:50051", "SpiceDB, without TLS")
	key := flags.String("key", "", "its preshared key")
	httpAddress := flags.String("http", "127.0.0.1:0", "where nginx asks")
	grpcAddress := flags.String("grpc", "127.0.0.1:0", "where Envoy asks")
	jwks := flags.String("jwks", "", "the issuer's keys, a file")
	issuer := flags.String("issuer", "", "iss")
	audience := flags.String("audience", "", "aud")
	users := flags.Int("users", 1, "users; the first one is named by -user")
	roles := flags.Int("roles", 1, "roles")
	endpoints := flags.Int("endpoints", 1, "endpoints; the first one is getEmployee")
	user := flags.String("user", "bench", "who may call getEmployee")
	_ = flags.Parse(os.Args[2:])

	client, err := dial(*address, *key)
	if err != nil {
		log.Fatal(err)
	}
	switch os.Args[1] {
	case "prepare":
		if err := prepare(client, model{users: *users, roles: *roles, endpoints: *endpoints, user: *user}); err != nil {
			log.Fatal(err)
		}
	case "serve":
		verifier, err := newVerifier(*jwks, *issuer, *audience)
		if err != nil {
			log.Fatal(err)
		}
		judge := &judge{verifier: verifier, client: client}
		fmt.Println("ready")
		log.Fatal(serve(judge, *httpAddress, *grpcAddress))
	default:
		log.Fatalf("unknown: %s", os.Args[1])
	}
}
