import { clock, day, isToday, utc } from "../words/time";

interface Props {
  at: string;
  withMillis?: boolean;
  /** Names the day also when it is today. */
  withDay?: boolean;
}

/** A time as the clock on the wall shows it; UTC on hover. */
export function Time({ at, withMillis = false, withDay = false }: Props) {
  const dated = withDay || !isToday(at);
  return (
    <time dateTime={at} title={utc(at)}>
      {dated && <span className="soft">{day(at)} </span>}
      {clock(at, withMillis)}
    </time>
  );
}
