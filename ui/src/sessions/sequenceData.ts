// The beginning of a session in words, for a row in sight. The list's answer has no sequence yet, so
// the first requests are asked for.
import { useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { inTurn } from "../api/turn";
import type { Exchange } from "../api/schema";
import { isStatic } from "../words/endpoint";
import { sequence, type Step } from "../words/sequence";

const REQUESTS = 60;
/** Files that a page brings along say little; they count where there is nothing else. */
function withoutFiles(requests: Exchange[]): Exchange[] {
  const said = requests.filter(({ path }) => path == null || !isStatic(path));
  return said.length > 0 ? said : requests;
}

export function useBeginning(id: string, requests: number): { steps: Step[] | null; cut: boolean } {
  const { data } = useQuery({
    // What is longer than we ask for does not begin anew.
    queryKey: ["beginning", id, Math.min(requests, REQUESTS)],
    queryFn: ({ signal }) =>
      inTurn(signal, async () => {
        const params = { path: { id }, query: { limit: REQUESTS } };
        const page = await body(api.GET("/v1/sessions/{id}/requests", { params, signal }));
        return sequence(withoutFiles(page.items));
      }),
    staleTime: Infinity,
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
    retry: 1,
  });
  return { steps: data ?? null, cut: requests > REQUESTS };
}
