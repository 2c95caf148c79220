package scope

// CheckDraft reports what is wrong with a document by itself, were it added for its owner.
func CheckDraft(document string, own Owner) error {
	a := Addition{Document: document, Organisation: own.Organisation}
	api, err := a.read()
	if err != nil {
		return err
	}
	if err := own.keeps(api); err != nil {
		return err
	}
	_, err = build(file{Sources: []Source{{Key: sourceOurs, Kind: SourceOurs, Text: "ours"}}, APIs: []API{api}})
	return err
}
