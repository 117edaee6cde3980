// A request as text that one takes along.
import type { Exchange } from "../api/schema";

/** Names, and the values that the policy asks for. */
export function queryText({ query_names: names, query_values: kept }: Exchange): string {
  const values = new Map(kept.map(({ name, value }) => [name, value]));
  return names
    .map((name) => (values.has(name) ? `${name}=${values.get(name) ?? ""}` : name))
    .join("&");
}

/** The request for a shell, as far as it was recorded: secrets and bodies never were. */
export function curlOf(request: Exchange): string {
  const query = request.query_names.length > 0 ? `?${queryText(request)}` : "";
  const url = `${request.scheme ?? "http"}://${request.host ?? "localhost"}${request.path ?? "/"}${query}`;
  const agent = request.user_agent == null ? "" : ` -A ${quoted(request.user_agent)}`;
  const method = request.method == null || request.method === "GET" ? "" : ` -X ${request.method}`;
  return `curl -i${method} ${quoted(url)}${agent}`;
}

/** For a POSIX shell: nothing within is special. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
