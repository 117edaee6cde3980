import { Menu } from "../parts/Menu";
import { COLUMNS, USUAL } from "./columns";
import style from "./Sessions.module.css";

interface Props {
  shown: string[];
  onChange: (ids: string[]) => void;
}

/** Which columns to show; those without room are left out of the table by themselves. */
export function ColumnChooser({ shown, onChange }: Props) {
  const flip = (id: string) =>
    onChange(shown.includes(id) ? shown.filter((other) => other !== id) : [...shown, id]);
  return (
    <Menu label="Columns" name="Choose columns" align="right">
      {() => (
        <fieldset className={style.choices}>
          <legend className="unseen">Columns</legend>
          {COLUMNS.map(({ id, header }) => (
            <label key={id}>
              <input
                type="checkbox"
                checked={shown.includes(id)}
                disabled={id === "last"}
                onChange={() => flip(id)}
              />
              {header}
            </label>
          ))}
          <button type="button" className="button" onClick={() => onChange(USUAL)}>
            The usual ones
          </button>
        </fieldset>
      )}
    </Menu>
  );
}
