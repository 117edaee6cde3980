/** What stands at each `:name` of `pattern`; null when `path` is another. */
export function matches(pattern: string, path: string): Record<string, string> | null {
  const parts = pattern.split("/");
  const segments = path.replace(/(.)\/$/, "$1").split("/");
  if (parts.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = decodeURIComponent(segment);
    else if (part !== segment) return null;
  }
  return params;
}
