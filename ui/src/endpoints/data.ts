// Endpoints with their figures, and the steps between them.
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, body } from "../api/client";
import { useAnewWhenOld } from "../api/oldCursor";

const PAGE_ROWS = 100;
const REFRESH_MS = 30_000;

interface Asked {
  q: string | undefined;
  /** `p95`, or `-p95` for the least first. */
  sort: string;
  /** Only those with this mark, such as `new`. */
  mark?: string | null;
}

const filtered = (q: string | undefined) => (q === undefined ? {} : { q });

export function useEndpoints({ q, sort, mark = null }: Asked) {
  const queryKey = useMemo(() => ["endpoints", q, sort, mark], [q, sort, mark]);
  const answer = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => {
      const query = {
        ...filtered(q),
        sort: sort.replace("-", ""),
        ...(sort.startsWith("-") && { order: "asc" }),
        ...(mark !== null && { mark }),
        limit: PAGE_ROWS,
        ...(pageParam !== null && { cursor: pageParam }),
      };
      return body(api.GET("/v1/endpoints", { params: { query }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next ?? null,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  useAnewWhenOld(answer, queryKey);
  const rows = useMemo(() => answer.data?.pages.flatMap(({ items }) => items) ?? [], [answer.data]);
  return { ...answer, rows };
}

/** From which endpoint visits go to which: the `nodes` most asked for, and the strongest steps. */
export function useTransitions(q: string | undefined, nodes: number, files: boolean) {
  return useQuery({
    queryKey: ["transitions", q, nodes, files],
    queryFn: ({ signal }) => {
      const query = { ...filtered(q), nodes, edges: nodes * 6, files };
      return body(api.GET("/v1/transitions", { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
}
