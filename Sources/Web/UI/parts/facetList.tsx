import { useState } from 'react';
import { compact, number } from '../model/numbers.ts';
import type { FieldFilter, FilterChange } from '../model/query.ts';
import { fieldTitle } from '../model/records.ts';
import { plainText } from '../model/segments.ts';
import { severityIndex, severityOf } from '../model/severity.ts';
import { Icon } from './icon.tsx';
import { Skeleton } from './states.tsx';

export interface FacetView {
  field: string;
  values: { value: string; hits: number }[];
  filter: FieldFilter;
  /** More values exist than are shown. */
  more: boolean;
}

/** Fields with their most frequent values: counts as bars, checkboxes include, a minus excludes. */
export function FacetList({ facets, loading, dimmed, folded, open, onClose, onFold, onChange, onMore }: {
  facets: readonly FacetView[];
  loading: boolean;
  dimmed: boolean;
  folded: Record<string, boolean>;
  /** On a narrow page the list is a sheet. */
  open: boolean;
  onClose: () => void;
  onFold: (field: string, folded: boolean) => void;
  onChange: (field: string, value: string, change: FilterChange) => void;
  onMore: (field: string) => void;
}) {
  const [wanted, setWanted] = useState('');
  const search = wanted.trim().toLowerCase();
  const found = facets
    .map((facet) => {
      if (!search || facet.field.toLowerCase().includes(search)) return facet;
      return { ...facet, values: facet.values.filter((each) => each.value.toLowerCase().includes(search)) };
    })
    .filter((facet) => facet.values.length > 0);
  return (
    <aside className={open ? 'facets open' : 'facets'} aria-label='Fields'>
      <div className='facets-q'>
        <Icon name='search' size={14} />
        <input
          type='search'
          placeholder='Find a field or value'
          aria-label='Find a field or value'
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        <button type='button' className='ib sm facets-x' aria-label='Close the fields' onClick={onClose}>
          <Icon name='x' size={14} />
        </button>
      </div>
      <div className={dimmed ? 'facets-scroll dim' : 'facets-scroll'}>
        {loading && facets.length === 0 && <Skeleton rows={14} label='Loading fields' />}
        {!loading && facets.length === 0 && <p className='facets-none'>No fields in this window.</p>}
        {search && facets.length > 0 && found.length === 0 && (
          <p className='facets-none'>No field or top value contains “{wanted.trim()}”.</p>
        )}
        {found.map((facet) => (
          <FacetSection
            key={facet.field}
            facet={facet}
            open={search !== '' || !(folded[facet.field] ?? foldedAtFirst(facet))}
            onFold={(value) => onFold(facet.field, value)}
            onChange={(value, change) => onChange(facet.field, value, change)}
            onMore={() => onMore(facet.field)}
          />
        ))}
      </div>
    </aside>
  );
}

/** A field with one value says nothing, and the level as sent is the normalized one in other words. */
const foldedAtFirst = (facet: FacetView): boolean =>
  (facet.values.length < 2 || facet.field === 'level') && facet.filter.included.size + facet.filter.excluded.size === 0;

function FacetSection({ facet, open, onFold, onChange, onMore }: {
  facet: FacetView;
  open: boolean;
  onFold: (folded: boolean) => void;
  onChange: (value: string, change: FilterChange) => void;
  onMore: () => void;
}) {
  const isLevel = facet.field === 'severity';
  const active = facet.filter.included.size + facet.filter.excluded.size;
  const values = isLevel
    ? [...facet.values].sort((left, right) => severityIndex(right.value) - severityIndex(left.value))
    : facet.values;
  const peak = values.reduce((most, each) => Math.max(most, each.hits), 1);
  return (
    <section className='facet'>
      <h2>
        <button type='button' aria-expanded={open} title={facet.field} onClick={() => onFold(open)}>
          <Icon name={open ? 'chevron-down' : 'chevron-right'} size={13} />
          <span>{fieldTitle(facet.field)}</span>
          {active > 0
            ? <em title={`${active} values filtered`}>{active}</em>
            : <small>{facet.more ? `${facet.values.length}+` : facet.values.length}</small>}
        </button>
      </h2>
      {open && (
        <ul>
          {values.map(({ value, hits }) => {
            const excluded = facet.filter.excluded.has(value);
            const name = value === '' ? '(empty)' : plainText(value);
            return (
              <li key={value} className={`${isLevel ? `lvl-${severityOf(value)}` : ''}${excluded ? ' out' : ''}`}>
                <label title={name}>
                  <input
                    type='checkbox'
                    checked={facet.filter.included.has(value)}
                    onChange={(event) => onChange(value, event.target.checked ? 'include' : 'clear')}
                  />
                  {isLevel && <i className='dot' />}
                  <span className='fv'>{name}</span>
                </label>
                <span className='facet-a'>
                  <button type='button' onClick={() => onChange(value, 'only')} aria-label={`Only ${name}`}>
                    only
                  </button>
                  <button
                    type='button'
                    onClick={() => onChange(value, excluded ? 'clear' : 'exclude')}
                    aria-label={`Exclude ${name}`}
                    aria-pressed={excluded}
                    title={excluded ? 'Excluded. Click to allow again' : 'Exclude'}
                  >
                    <Icon name='circle-minus' size={13} />
                  </button>
                </span>
                <span className='fn' title={`${number(hits)} records`}>{compact(hits)}</span>
                <span className='fb' aria-hidden='true'>
                  <i style={{ width: `${Math.max(1.5, (hits / peak) * 100)}%` }} />
                </span>
              </li>
            );
          })}
          {facet.more && (
            <li>
              <button type='button' className='more' onClick={onMore}>Show more values</button>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
