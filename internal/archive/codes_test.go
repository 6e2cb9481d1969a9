// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"

	"github.com/valtuus/valtuus/internal/identitycode"
)

// testCodes gives distinct valid codes of the 900 series, other than testCode.
func testCodes(n int) (codes []string) {
	for i := 0; len(codes) < n; i++ {
		for _, check := range "0123456789ABCDEFHJKLMNPRSTUVWXY" {
			code := fmt.Sprintf("%02d0190-%03d%c", i/100+1, 900+i%100, check)
			if _, err := identitycode.Parse(code); err == nil {
				codes = append(codes, code)
				break
			}
		}
	}
	return codes
}
