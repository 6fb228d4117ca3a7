/** `(3) Today · Vigie`: the number of problems comes first, so that a narrow tab shows it. */
export function titleOf(heading: string, wrong: number): string {
  const name = heading === '' ? 'Vigie' : `${heading} · Vigie`;
  return wrong === 0 ? name : `(${wrong > 99 ? '99+' : wrong}) ${name}`;
}

const MARK = `<path d='m8 9 8 15 8-15' fill='none' stroke='%23fff' stroke-width='4' stroke-linecap='round' stroke-linejoin='round'/>`;
const DOT = `<circle cx='25' cy='7' r='7' fill='%23b3261e' stroke='%23fff' stroke-width='2'/>`;

/** A dot on the icon of the tab says that something is wrong. */
export function setWrong(wrong: number): void {
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  const square = `<rect width='32' height='32' rx='8' fill='%231a56c4'/>`;
  const picture = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>${square}${MARK}${wrong > 0 ? DOT : ''}</svg>`;
  if (icon !== null)
    icon.href = `data:image/svg+xml,${picture.replaceAll('<', '%3C').replaceAll('>', '%3E')}`;
}
