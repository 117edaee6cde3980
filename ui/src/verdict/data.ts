// Verdicts, and what people say of them.
import { queryOptions, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, body } from "../api/client";
import type { paths } from "../api/schema";

export type VerdictQuery = NonNullable<paths["/v1/verdicts"]["get"]["parameters"]["query"]>;

const PAGE_ROWS = 100;
const NEWS_MS = 5000;

export function useVerdicts(query: VerdictQuery) {
  const answer = useInfiniteQuery({
    queryKey: ["verdicts", query],
    queryFn: ({ pageParam, signal }) => {
      const asked = {
        ...query,
        limit: PAGE_ROWS,
        ...(pageParam !== null && { cursor: pageParam }),
      };
      return body(api.GET("/v1/verdicts", { params: { query: asked }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next ?? null,
    refetchInterval: NEWS_MS,
  });
  const rows = useMemo(() => answer.data?.pages.flatMap(({ items }) => items) ?? [], [answer.data]);
  return { ...answer, rows };
}

export const verdictQuery = (id: string) =>
  queryOptions({
    queryKey: ["verdict", id],
    queryFn: ({ signal }) =>
      body(api.GET("/v1/verdicts/{id}", { params: { path: { id } }, signal })),
  });

export interface Judgement {
  /** Null takes back what was said. */
  label: "confirmed" | "wrong" | null;
  note: string;
  author: string;
}

/** Says that a verdict is right or wrong; lists and sessions are asked anew then. */
export function useJudge(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ label, note, author }: Judgement): Promise<unknown> => {
      const params = { path: { id }, query: { author } };
      return label === null
        ? body(api.DELETE("/v1/verdicts/{id}/label", { params }))
        : body(api.PUT("/v1/verdicts/{id}/label", { params, body: { label, note } }));
    },
    onSuccess: () =>
      Promise.all(
        ["verdict", "verdicts", "session", "sessions"].map((key) =>
          client.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  });
}
