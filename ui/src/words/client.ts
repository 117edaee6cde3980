// A user agent in a word or two; the whole text stays one hover away.

const PROGRAMS: [RegExp, string][] = [
  [/\b(\w*bot|\w*spider|\w*crawler)\b\/?([\d.]*)/i, ""],
  [
    /^(python-requests|python-httpx|aiohttp|curl|Wget|axios|okhttp|node-fetch|Go-http-client|PostmanRuntime|insomnia|Java|Apache-HttpClient)\/?([\d.]*)/i,
    "",
  ],
  [/\b(HeadlessChrome)\/([\d.]+)/, "Headless Chrome"],
  [/\b(EdgA?|Edge)\/([\d.]+)/, "Edge"],
  [/\b(OPR|Opera)\/([\d.]+)/, "Opera"],
  [/\b(SamsungBrowser)\/([\d.]+)/, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\/([\d.]+)/, "Firefox"],
  [/\b(Chrome|CriOS)\/([\d.]+)/, "Chrome"],
  [/\b(Version)\/([\d.]+).*Safari\//, "Safari"],
];

const SYSTEMS: [RegExp, string][] = [
  [/iPhone|iPad|iOS/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux|X11/, "Linux"],
];

/** `Chrome 137 · macOS`, `curl 8`, or the first word of what it says. */
export function clientName(userAgent: string): string {
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  for (const [pattern, name] of PROGRAMS) {
    const found = pattern.exec(userAgent);
    if (!found) continue;
    const major = found[2]?.split(".")[0] ?? "";
    const program = `${name === "" ? (found[1] ?? "") : name}${major === "" ? "" : ` ${major}`}`;
    return name !== "" && system !== undefined ? `${program} · ${system}` : program;
  }
  const word = /^([^\s/(]+)(?:\/(\d+))?/.exec(userAgent);
  if (!word) return userAgent === "" ? "(none)" : userAgent.slice(0, 24);
  const version = word[2] === undefined ? "" : ` ${word[2]}`;
  return `${word[1] ?? ""}${version}${system === undefined ? "" : ` · ${system}`}`;
}
