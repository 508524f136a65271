package checker

type tlsSettings struct{}
