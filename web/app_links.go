package web

import (
	"net/url"

	"credenza.example/credenza/internal/registry"
)

// The addresses of the pages about apps, built here and nowhere else. The route table has their patterns.
const (
	appsPath    = "/apps"
	newAppPath  = "/apps/new"
	selfAPIPath = "/api/v1/apps/self"
	tokenPath   = "/oauth2/token"
	lookupPath  = "/lookup"
	findPath    = "/find"
	pastedPath  = appsPath + "/pasted"
	secretHint  = "?hint=secret" // on the page of a search: a secret was pasted into it
)

func appPath(id registry.AppID) string { return appsPath + "/" + url.PathEscape(string(id)) }

func editPath(id registry.AppID) string       { return appPath(id) + "/edit" }
func rotatePath(id registry.AppID) string     { return appPath(id) + "/secrets/new" }
func mailPath(id registry.AppID) string       { return appPath(id) + "/mail" }
func historyPath(id registry.AppID) string    { return appPath(id) + "/history" }
func activatePath(id registry.AppID) string   { return appPath(id) + "/activate" }
func deactivatePath(id registry.AppID) string { return appPath(id) + "/deactivate" }
func deletePath(id registry.AppID) string     { return appPath(id) + "/delete" }

func restorePath(id registry.AppID, secret registry.SecretID) string {
	return secretPath(id, secret) + "/restore"
}

func extendPath(id registry.AppID, secret registry.SecretID) string {
	return secretPath(id, secret) + "/extend"
}

func handOffsPath(id registry.AppID) string { return appPath(id) + "/hand-offs" }

func withdrawPath(id registry.AppID, handOff registry.HandOffID) string {
	return handOffsPath(id) + "/" + url.PathEscape(string(handOff)) + "/withdraw"
}

func secretPath(id registry.AppID, secret registry.SecretID) string {
	return appPath(id) + "/secrets/" + url.PathEscape(string(secret))
}

func retirePath(id registry.AppID, secret registry.SecretID) string {
	return secretPath(id, secret) + "/retire"
}
