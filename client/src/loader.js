// The snippet's code: CONFIG, URLS and INTEGRITY are replaced by literals when it is printed (client.go). A URL that fails, or whose script is not
// the one that was meant, gives way to the next; after the last it begins again. Where the page requires Trusted Types the URLs, which are the
// snippet's own, go through a policy of the name livens.
window.livensConfig = CONFIG;
window.livensReady = new Promise(function (resolve) {
  var rules = { createScriptURL: String };
  var policy = window.trustedTypes ? trustedTypes.createPolicy("livens", rules) : rules;
  (function load(i) {
    var script = document.createElement("script");
    script.src = policy.createScriptURL(URLS[i % URLS.length]);
    script.integrity = INTEGRITY;
    script.crossOrigin = "anonymous";
    script.onload = function () {
      resolve(livens);
    };
    script.onerror = function () {
      setTimeout(load, ++i % URLS.length ? 0 : 2e3, i);
    };
    document.head.append(script);
  })(0);
});
