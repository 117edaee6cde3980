import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { histogramQuery, useHistogram } from "../api/facets";
import { setQuery, usePlace } from "../app/router";
import { listState } from "../filter/url";
import { withoutTime } from "../filter/words";
import { Card } from "../parts/Card";
import { Bars, Legend, sum, type Series, type Tone } from "../parts/chart/Bars";
import { Bones, Empty, Failed } from "../parts/State";
import { BOT_TYPES, botName } from "../words/bot";
import { roundLength } from "../words/time";

const TONES: readonly Tone[] = ["warn", "bad", "link", "ok", "plain"];
const SERIES: Series[] = BOT_TYPES.map((type, index) => ({
  name: botName(type),
  tone: TONES[index] ?? "plain",
}));

/** Sessions held for bots over time, by type; drag to zoom. */
export function TypesOverTime({ q }: { q: string | undefined }) {
  const { query } = usePlace();
  const { words } = listState(query);
  const whole = useHistogram(q);
  const [from, to] = endsOf(whole.data);
  const types = useQueries({
    queries: BOT_TYPES.map((type) => ({
      ...histogramQuery(
        [...withoutTime(q ?? ""), `verdict:${type}`, `from:${from}`, `to:${to}`].join(" "),
      ),
      enabled: from !== "",
      placeholderData: keepPreviousData,
    })),
  });
  if (whole.isError) return <Failed error={whole.error} retry={() => void whole.refetch()} />;
  if (!whole.data) {
    return (
      <Card title="Types over time">
        <Bones rows={4} label="Types over time are loading" />
      </Card>
    );
  }
  if (from === "") return <Empty title="Nobody was held for a bot in this time" />;
  const bars = whole.data.buckets.map(({ start }) => ({
    start,
    values: types.map(
      ({ data }) => data?.buckets.find((bucket) => bucket.start === start)?.sessions ?? 0,
    ),
  }));
  const sums = SERIES.map((_, index) => sum(bars.map(({ values }) => values[index] ?? 0)));
  const seen = SERIES.filter((_, index) => (sums[index] ?? 0) > 0);
  return (
    <Card
      title="Types over time"
      note={<Legend series={seen} />}
      actions={
        <span className="quiet">
          active sessions per {roundLength(whole.data.width_s * 1000)} · drag to zoom
        </span>
      }
    >
      <Bars
        label="Sessions held for bots over time, by type"
        series={SERIES}
        bars={bars}
        width_s={whole.data.width_s}
        height={150}
        onZoom={(start, end) =>
          setQuery({
            q: [...withoutTime(words.join(" ")), `from:${start}`, `to:${end}`].join(" "),
          })
        }
      />
    </Card>
  );
}

/** Where there is something: the same time for each type. */
function endsOf(data: ReturnType<typeof useHistogram>["data"]): [string, string] {
  const first = data?.buckets[0];
  const last = data?.buckets.at(-1);
  if (!data || !first || !last || sum(data.buckets.map(({ requests }) => requests)) === 0) {
    return ["", ""];
  }
  return [first.start, new Date(Date.parse(last.start) + data.width_s * 1000).toISOString()];
}
