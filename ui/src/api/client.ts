// The one way to the API: typed by docs/openapi.json, with the right token, errors as problems.
import createClient, { type Middleware } from "openapi-fetch";
import { ApiProblem, isProblem, UNREACHABLE } from "./problem";
import type { paths } from "./schema";
import { refused, token, type TokenKind } from "./tokens";

/** Asks something that is too long for a URL; changes nothing. */
const READS = ["/v1/backtest"];

/** Reading takes one token, changing another. */
function kindFor(request: Request): TokenKind {
  const reads = request.method === "GET" || READS.includes(new URL(request.url).pathname);
  return reads ? "read" : "admin";
}

/** A token that is good for something else, such as a read token for a change. */
async function isOfAnotherRole(response: Response): Promise<boolean> {
  if (response.status !== 403) return false;
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  return isProblem(problem) && problem.type === "urn:throughline:problem:wrong-role";
}

const tokens: Middleware = {
  onRequest({ request }) {
    const value = token(kindFor(request));
    if (value !== null) request.headers.set("authorization", `Bearer ${value}`);
    return request;
  },
  async onResponse({ request, response }) {
    if (response.status === 401 || (await isOfAnotherRole(response))) refused(kindFor(request));
  },
  onError({ error }) {
    // Not an answer: a request that was given up is no news, anything else is.
    if (error instanceof DOMException && error.name === "AbortError") return error;
    return new ApiProblem(UNREACHABLE);
  },
};

export const api = createClient<paths>({ baseUrl: "" });
api.use(tokens);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body; a problem is thrown. */
export async function body<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (error === undefined && response.ok) return data as T;
  if (isProblem(error)) throw new ApiProblem(error);
  throw new ApiProblem({
    type: "urn:throughline:problem:unexpected",
    title: `The service answered ${response.status}`,
    status: response.status,
    detail: "The answer was none that this page knows.",
    remedy: "Look at the log of `throughline serve`.",
  });
}
