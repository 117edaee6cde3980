// A session, its requests and those linked to it.
import { useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import { api, body } from "../api/client";
import type { Exchange, ExchangePage, SessionLink, SessionWithVisits } from "../api/schema";

const PAGE_ROWS = 500;
/** So many are asked for without being scrolled to, for the picture and the words: four pages. */
const BEGINNING = 4 * PAGE_ROWS;
const NEWS_MS = 5000;
/** Lanes of the picture on each side of the session's own. */
const LANES = 3;
const LANE_REQUESTS = 500;
const RANK = ["login", "refresh", "both", "policy_change"];
/** Around the session's own time, so that its lane stays the longest. */
const AROUND_MS_MIN = 5000;

export function useSession(id: string) {
  return useQuery({
    queryKey: ["session", id],
    queryFn: ({ signal }) =>
      body(api.GET("/v1/sessions/{id}", { params: { path: { id } }, signal })),
    refetchInterval: NEWS_MS,
  });
}

export function useRequests(id: string) {
  const answer = useInfiniteQuery({
    queryKey: ["requests", id],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE_ROWS, ...(pageParam !== null && { cursor: pageParam }) };
      const params = { path: { id }, query };
      return body(api.GET("/v1/sessions/{id}/requests", { params, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next ?? null,
    staleTime: Infinity,
    // Comparing every page with itself would take longer than drawing it.
    structuralSharing: false,
  });
  const { data, fetchNextPage, hasNextPage, isFetching, isError } = answer;
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  // The same rows for as long as nothing is put before them: what is drawn and told of them is not
  // done again for each page that comes while one scrolls.
  const [one, two, three, four] = data?.pages ?? [];
  const beginning = useMemo(
    () => [one, two, three, four].flatMap((page) => page?.items ?? []),
    [one, two, three, four],
  );
  const wantsMore = hasNextPage && !isFetching && !isError && rows.length < BEGINNING;
  useEffect(() => {
    if (wantsMore) void fetchNextPage();
  }, [wantsMore, fetchNextPage]);
  return { ...answer, rows, beginning };
}

/** A linked session with the beginning of what it did. */
export interface Linked {
  link: SessionLink;
  requests: Exchange[];
}

/** Sessions that this one goes on from or that go on from it, for lanes beside its own. */
export function useLinked(session: SessionWithVisits | undefined): Linked[] {
  const links = useMemo(() => nearestLinks(session?.links ?? []), [session?.links]);
  const around = session && windowOf(session);
  const combine = useCallback(
    (answers: { data: ExchangePage | undefined }[]) =>
      links
        .map((link, index) => ({ link, requests: answers[index]?.data?.items ?? [] }))
        // Its requests may be of another time.
        .filter(({ requests }) => requests.length > 0),
    [links],
  );
  return useQueries({
    combine,
    queries: links.map(({ session: id }) => ({
      queryKey: ["lane", id, around],
      queryFn: ({ signal }: { signal: AbortSignal }) => {
        const params = { path: { id }, query: { limit: LANE_REQUESTS, ...around } };
        return body(api.GET("/v1/sessions/{id}/requests", { params, signal }));
      },
      staleTime: 30_000,
    })),
  });
}

/** Half as long again before and after the session. */
function windowOf(session: SessionWithVisits): { from: string; to: string } {
  const around = Math.max(AROUND_MS_MIN, session.duration_ms / 2);
  const time = (at: string, by: number) => new Date(Date.parse(at) + by).toISOString();
  return { from: time(session.first, -around), to: time(session.last, around) };
}

/** One lane per session; what says more (a login) before what says less (both keys at once). */
function nearestLinks(links: SessionLink[]): SessionLink[] {
  const telling = [...links].sort(
    (one, other) => RANK.indexOf(one.kind) - RANK.indexOf(other.kind),
  );
  const once = new Map<string, SessionLink>();
  for (const link of telling) {
    if (link.stored && !link.shared_key && !once.has(link.session)) once.set(link.session, link);
  }
  const side = (direction: string) =>
    [...once.values()].filter((link) => link.direction === direction).slice(0, LANES);
  return [...side("from"), ...side("to")];
}
