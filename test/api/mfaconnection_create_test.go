package api_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	badURL        = "url must be https://host"
	badInterval   = "resyncInterval must be at least 2s"
	badDuration   = "should match"
	noTime        = "must be longer than no time at all"
	needsPatterns = "policy.loginPatterns is required unless"
	selectorRule  = "selector goes with from: Selector"
)

var selector = map[string]any{"matchLabels": map[string]any{"mfa": "yes"}}

func TestMFAConnectionCreate(t *testing.T) {
	patterns := []any{"*@example.com"}
	cases := map[string]struct {
		set  fields
		want string // part of the error; "" for none
	}{
		"the least that can be said": {},
		"everything": {set: fields{
			"url": "https://mfa.example.com:8443/gateway", "caBundle": "-----BEGIN CERTIFICATE-----", "tokenSecretRef.key": "api",
			"resyncInterval": "1h30m", "rateLimit.requestsPerSecond": int64(10000), "rateLimit.burst": int64(10000),
			"codeLifetimes.short": "10m", "codeLifetimes.inactive": "48h", "codeLifetimes.link": "48h",
			"allowedNamespaces.from": "Selector", "allowedNamespaces.selector": selector,
			"policy.loginPatterns": patterns, "policy.roles": []any{"User", "Manager", "Administrator"}, "policy.groups": []any{"staff", "team-*"},
			"policy.adoption": "Always", "changeGuard.maxRemovals": int64(0), "changeGuard.window": "24h",
		}},

		"no token":               {set: fields{"tokenSecretRef": nil}, want: "spec.tokenSecretRef: Required"},
		"token without a name":   {set: fields{"tokenSecretRef": map[string]any{"key": "token"}}, want: "spec.tokenSecretRef.name: Required"},
		"token Secret unnamed":   {set: fields{"tokenSecretRef.name": ""}, want: "spec.tokenSecretRef.name"},
		"token Secret too long":  {set: fields{"tokenSecretRef.name": strings.Repeat("a", 254)}, want: "spec.tokenSecretRef.name: Too long"},
		"token key empty":        {set: fields{"tokenSecretRef.key": ""}, want: "spec.tokenSecretRef.key"},
		"token key too long":     {set: fields{"tokenSecretRef.key": strings.Repeat("a", 254)}, want: "spec.tokenSecretRef.key: Too long"},
		"CA bundle too long":     {set: fields{"caBundle": strings.Repeat("a", 262145)}, want: "spec.caBundle: Too long"},
		"URL in the clear":       {set: fields{"url": "http://mfa.example.com"}, want: badURL},
		"URL without scheme":     {set: fields{"url": "mfa.example.com"}, want: badURL},
		"URL of a path":          {set: fields{"url": "/auth"}, want: badURL},
		"URL without host":       {set: fields{"url": "https://"}, want: badURL},
		"URL with port alone":    {set: fields{"url": "https://:443"}, want: badURL},
		"URL empty":              {set: fields{"url": ""}, want: badURL},
		"URL with a user":        {set: fields{"url": "https://me:secret@mfa.example.com"}, want: badURL},
		"URL with a query":       {set: fields{"url": "https://mfa.example.com?a=b"}, want: badURL},
		"URL with a fragment":    {set: fields{"url": "https://mfa.example.com#a"}, want: badURL},
		"URL with a space":       {set: fields{"url": "https://mfa.example.com/a b "}, want: badURL},
		"URL of an IPv6 address": {set: fields{"url": "https://[::1]:8443"}},
		"URL too long":           {set: fields{"url": "https://mfa.example.com/" + strings.Repeat("a", 2048)}, want: "spec.url: Too long"},

		"interval at its shortest": {set: fields{"resyncInterval": "2s"}},
		"interval too short":       {set: fields{"resyncInterval": "1s"}, want: badInterval},
		"interval of nothing":      {set: fields{"resyncInterval": "0h0m0s"}, want: badInterval},
		"interval in fractions":    {set: fields{"resyncInterval": "2500ms"}, want: badDuration},
		"interval without a unit":  {set: fields{"resyncInterval": "10"}, want: badDuration},
		"interval below zero":      {set: fields{"resyncInterval": "-10m"}, want: badDuration},
		"interval is a number":     {set: fields{"resyncInterval": int64(600)}, want: "must be of type string"},
		"rate of nothing":          {set: fields{"rateLimit.requestsPerSecond": int64(0)}, want: "spec.rateLimit.requestsPerSecond"},
		"rate too high":            {set: fields{"rateLimit.requestsPerSecond": int64(10001)}, want: "spec.rateLimit.requestsPerSecond"},
		"burst of nothing":         {set: fields{"rateLimit.burst": int64(0)}, want: "spec.rateLimit.burst"},
		"burst too high":           {set: fields{"rateLimit.burst": int64(10001)}, want: "spec.rateLimit.burst"},
		"life of a short code":     {set: fields{"codeLifetimes.short": "soon"}, want: badDuration},
		"life of an inactive code": {set: fields{"codeLifetimes.inactive": "21d"}, want: badDuration},
		"life of a link":           {set: fields{"codeLifetimes.link": ""}, want: badDuration},
		"short code without life":  {set: fields{"codeLifetimes.short": "0s"}, want: noTime},
		"inactive without life":    {set: fields{"codeLifetimes.inactive": "0m"}, want: noTime},
		"link without life":        {set: fields{"codeLifetimes.link": "0h0s"}, want: noTime},
		"guard over no time":       {set: fields{"changeGuard.window": "0h"}, want: noTime},

		"namespaces unknown":               {set: fields{"allowedNamespaces.from": "Any"}, want: enum},
		"all, logins by pattern":           {set: fields{"allowedNamespaces.from": "All", "policy.loginPatterns": patterns}},
		"all, no patterns":                 {set: fields{"allowedNamespaces.from": "All"}, want: needsPatterns},
		"all, list of patterns empty":      {set: fields{"allowedNamespaces.from": "All", "policy.loginPatterns": []any{}}, want: needsPatterns},
		"selector, no patterns":            {set: fields{"allowedNamespaces.from": "Selector", "allowedNamespaces.selector": selector}, want: needsPatterns},
		"Selector without selector":        {set: fields{"allowedNamespaces.from": "Selector", "policy.loginPatterns": patterns}, want: selectorRule},
		"selector beside All":              {set: fields{"allowedNamespaces.from": "All", "allowedNamespaces.selector": selector, "policy.loginPatterns": patterns}, want: selectorRule},
		"selector beside the default Same": {set: fields{"allowedNamespaces.selector": selector}, want: selectorRule},

		"login pattern empty":    {set: fields{"policy.loginPatterns": []any{""}}, want: "spec.policy.loginPatterns[0]"},
		"login pattern too long": {set: fields{"policy.loginPatterns": []any{strings.Repeat("a", 256)}}, want: "spec.policy.loginPatterns[0]: Too long"},
		"65 login patterns":      {set: fields{"policy.loginPatterns": repeated(65)}, want: "spec.policy.loginPatterns: Too many"},
		"group pattern empty":    {set: fields{"policy.groups": []any{""}}, want: "spec.policy.groups[0]"},
		"group pattern too long": {set: fields{"policy.groups": []any{strings.Repeat("a", 256)}}, want: "spec.policy.groups[0]: Too long"},
		"65 group patterns":      {set: fields{"policy.groups": repeated(65)}, want: "spec.policy.groups: Too many"},
		"no role at all":         {set: fields{"policy.roles": []any{}}, want: "spec.policy.roles"},
		"role unknown":           {set: fields{"policy.roles": []any{"Root"}}, want: enum},
		"role twice":             {set: fields{"policy.roles": []any{"User", "User"}}, want: "Duplicate value"},
		"adoption unknown":       {set: fields{"policy.adoption": "IfExists"}, want: enum},
		"guard below zero":       {set: fields{"changeGuard.maxRemovals": int64(-1)}, want: "spec.changeGuard.maxRemovals"},
		"guard over days":        {set: fields{"changeGuard.window": "1d"}, want: badDuration},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			err := admin.Create(t.Context(), object(g, "MFAConnection", "default", "production", tc.set), client.DryRunAll)
			expectOutcome(g, err, tc.want)
		})
	}
}

func repeated(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = "*"
	}
	return out
}

func TestMFAConnectionUpdate(t *testing.T) {
	const urlFixed = "url is immutable"
	own := fields{"url": "https://mfa.example.com"}
	cases := map[string]struct {
		before, after fields
		want          string
	}{
		"all that may change": {after: fields{
			"tokenSecretRef.name": "other", "caBundle": "x", "resyncInterval": "5m", "rateLimit.burst": int64(20), "changeGuard.maxRemovals": int64(5),
			"allowedNamespaces.from": "All", "policy.loginPatterns": []any{"*"}, "policy.roles": []any{"Manager"}, "policy.adoption": "Allow",
		}},
		"URL":                    {before: own, after: fields{"url": "https://other.example.com"}, want: urlFixed},
		"URL dropped":            {before: own, after: fields{"url": nil}, want: urlFixed},
		"URL stated later":       {after: own, want: urlFixed},
		"the default URL stated": {after: fields{"url": "https://kiwi.myinwebo.com"}},
		"the patterns that other namespaces need": {
			before: fields{"allowedNamespaces.from": "All", "policy.loginPatterns": []any{"*"}}, after: fields{"policy.loginPatterns": nil}, want: needsPatterns,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, ctx := NewWithT(t), t.Context()
			connection := object(g, "MFAConnection", newNamespace(ctx, g), "production", tc.before)
			g.Expect(admin.Create(ctx, connection)).To(Succeed())
			change(g, connection, tc.after)
			expectOutcome(g, admin.Update(ctx, connection, client.DryRunAll), tc.want)
		})
	}
}
