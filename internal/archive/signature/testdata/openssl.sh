#!/usr/bin/env bash
# Copyright The Valtuus Authors.
# SPDX-License-Identifier: Apache-2.0

# Makes the signature that TestSignedByOpenSSL verifies, with OpenSSL and no code of this program.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
b64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

printf '{"heading":"Signed elsewhere"}' >body.json
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out anchor.pem \
	-days 7300 -subj '/CN=OpenSSL test cards' -addext 'keyUsage=critical,keyCertSign' 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/card.key" -out "$work/card.csr" \
	-subj '/CN=card/serialNumber=1001' 2>/dev/null
openssl x509 -req -in "$work/card.csr" -CA anchor.pem -CAkey "$work/ca.key" -days 3650 -outform DER -out "$work/card.der" \
	-extfile <(echo 'keyUsage=critical,nonRepudiation') 2>/dev/null

x5c=$(openssl base64 -A -in "$work/card.der")
x5t=$(openssl dgst -sha256 -binary "$work/card.der" | b64url)
digest=$(b64url <body.json | tr -d '\n' | openssl dgst -sha256 -binary | b64url)
header=$(printf '{"alg":"ES256","x5c":["%s"],"x5t#S256":"%s","iat":1800000000,"sigD":{"mId":"http://uri.etsi.org/19182/ObjectIdByURIHash","pars":["body.json"],"hashM":"S256","hashV":["%s"],"ctys":["json"]},"crit":["sigD"]}' \
	"$x5c" "$x5t" "$digest" | b64url)
printf '%s.' "$header" | openssl dgst -sha256 -sign "$work/card.key" -out "$work/value.der"
value=$(openssl asn1parse -inform DER -in "$work/value.der" | awk -F: '/INTEGER/ { v = $NF; while (length(v) < 64) v = "0" v; printf "%s", substr(v, length(v) - 63) }' | xxd -r -p | b64url)
printf '%s..%s\n' "$header" "$value" >signature.jws
