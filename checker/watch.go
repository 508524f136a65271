package checker

type watcher struct{}
