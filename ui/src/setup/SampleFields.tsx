import { Fields } from "../parts/ChangeDialog";
import type { Sample } from "./data";

interface Props {
  sample: Sample;
  onChange: (sample: Sample) => void;
}

/** For which share of the clients, and how long. */
export function SampleFields({ sample, onChange }: Props) {
  return (
    <Fields>
      <label>
        Share of the clients, %
        <input
          className="field number"
          type="number"
          min={0.1}
          max={100}
          step="any"
          required
          value={Number((sample.clients_share * 100).toFixed(2))}
          onChange={(event) =>
            onChange({ ...sample, clients_share: Number(event.target.value) / 100 })
          }
        />
      </label>
      <label>
        For how long, minutes
        <input
          className="field number"
          type="number"
          min={1}
          max={10_080}
          required
          value={sample.minutes}
          onChange={(event) => onChange({ ...sample, minutes: Number(event.target.value) })}
        />
      </label>
    </Fields>
  );
}
