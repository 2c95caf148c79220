package secret_test

import (
	"strings"
	"testing"

	"credenza.example/credenza/internal/secret"
)

func TestFlawOf(t *testing.T) {
	whole := newMade(t).Secret.Reveal()
	other := "A"
	if strings.HasSuffix(whole, other) {
		other = "B"
	}
	for text, want := range map[string]secret.Flaw{
		whole: "", " " + whole: secret.FlawSpaces, whole + "\n": secret.FlawSpaces, "": secret.FlawPrefix,
		"CCWACME_22222222222222222222": secret.FlawPrefix, strings.ToUpper(whole): secret.FlawPrefix, secret.Prefix: secret.FlawShort,
		whole[:66]: secret.FlawShort, whole + "a": secret.FlawLong, whole + whole: secret.FlawCharacters,
		whole[:20] + "-" + whole[21:]: secret.FlawCharacters, whole[:20] + " " + whole[20:]: secret.FlawCharacters,
		whole[:66] + other: secret.FlawChecksum,
		`"` + whole + `"`:  secret.FlawQuoted, "'" + whole + "'": secret.FlawQuoted, "“" + whole + "”": secret.FlawQuoted,
		whole + `"`: secret.FlawQuoted, `"hunter2"`: secret.FlawPrefix, whole[:30] + `"` + whole[30:]: secret.FlawCharacters,
		"Bearer " + whole: secret.FlawBearer, "authorization: bearer " + whole: secret.FlawBearer, "Bearer": secret.FlawPrefix,
		"CCW_SECRET=" + whole: secret.FlawSetting, `export CCW_SECRET="` + whole + `"`: secret.FlawSetting,
		"client_secret: " + whole: secret.FlawSetting, `"client_secret": "` + whole + `"`: secret.FlawSetting, "CCW_SECRET=": secret.FlawPrefix,
		"$CCW_SECRET": secret.FlawVariable, "${CCW_SECRET}": secret.FlawVariable, `"$CCW_SECRET"`: secret.FlawVariable,
		"%CCW_SECRET%": secret.FlawVariable, "$env:CCW_SECRET": secret.FlawVariable, "${{ secrets.CCW }}": secret.FlawVariable,
		"{{ secret }}": secret.FlawVariable, "$5": secret.FlawPrefix, "100%": secret.FlawPrefix,
	} {
		if got := secret.FlawOf(text); got != want {
			t.Errorf("%q of %d characters: %q, want %q", want, len(text), got, want)
		}
	}
}
