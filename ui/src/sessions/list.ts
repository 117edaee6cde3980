// The list one came from, so that a session's page can go to the next one and back.
const KEY = "throughline.list";

interface List {
  ids: string[];
  url: string;
}

export function rememberList(ids: string[], url: string) {
  sessionStorage.setItem(KEY, JSON.stringify({ ids: ids.slice(0, 1000), url } satisfies List));
}

export function rememberedList(): List {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "") as Partial<List>;
    return { ids: kept.ids ?? [], url: kept.url ?? "/sessions" };
  } catch {
    return { ids: [], url: "/sessions" };
  }
}
