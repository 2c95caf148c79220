package scope

import "strings"

// Example is a document of an API as the owner could add one, to begin with.
func (o Owner) Example() string {
	begin := o.ScopePrefix()
	return strings.NewReplacer("KEY", o.KeyPrefix()+"orders", "SCOPE", begin+"orders").Replace(example)
}

const example = `key: KEY
title: Orders API
base_path: /orders/v1
token_lifetime: 3600s
objects:
  - name: orders
    scopes: [SCOPE.read, SCOPE.write]
    calls:
      - {method: GET, path: '/orders', access: read, any_of: [SCOPE.read]}
      - {method: GET, path: '/orders/{id}', access: read, any_of: [SCOPE.read]}
      - {method: POST, path: '/orders', access: write, any_of: [SCOPE.write]}
families:
  - name: SCOPE
    scopes:
      - {name: SCOPE.read, kind: read}
      - {name: SCOPE.write, kind: write}
`
