package main

import (
	"os"
	"strings"
	"sync"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

type known struct {
	subject string
	until   time.Time
}

type verifier struct {
	keys     keyfunc.Keyfunc
	parser   *jwt.Parser
	mutex    sync.RWMutex
	verified map[string]known
}

// Beyond this many tokens all are forgotten: it is bounded, and a bench has few.
const knownMax = 100_000

func newVerifier(file, issuer, audience string) (*verifier, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	keys, err := keyfunc.NewJWKSetJSON(text)
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired())
	return &verifier{keys: keys, parser: parser, verified: map[string]known{}}, nil
}

func (v *verifier) subject(authorization string) (string, bool) {
	token, found := strings.CutPrefix(authorization, "Bearer ")
	if !found {
		return "", false
	}
	v.mutex.RLock()
	before, found := v.verified[token]
	v.mutex.RUnlock()
	if found && time.Now().Before(before.until) {
		return before.subject, true
	}
	claims := jwt.RegisteredClaims{}
	if _, err := v.parser.ParseWithClaims(token, &claims, v.keys.Keyfunc); err != nil {
		return "", false
	}
	v.mutex.Lock()
	if len(v.verified) >= knownMax {
		v.verified = map[string]known{}
	}
	v.verified[token] = known{subject: claims.Subject, until: claims.ExpiresAt.Time}
	v.mutex.Unlock()
	return claims.Subject, true
}
