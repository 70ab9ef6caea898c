/** Browsing the transcripts: filter, step, arrow keys. Runs in the reader's browser, so it is text here. */
export const browseScript = `
(() => {
  const root = document.getElementById('transcripts');
  if (!root) return;
  const controls = root.querySelector('form');
  const articles = [...root.querySelectorAll('article')];
  let shown = articles;
  let at = 0;
  const show = (next) => {
    at = shown.length ? (next + shown.length) % shown.length : 0;
    for (const article of articles) article.hidden = article !== shown[at];
    controls.querySelector('.place').textContent = shown.length ? at + 1 + ' of ' + shown.length : 'none';
  };
  const filter = () => {
    const { behaviour, outcome } = controls.elements;
    shown = articles.filter(({ dataset }) =>
      (!behaviour.value || dataset.behaviour === behaviour.value) && (!outcome.value || dataset.outcome === outcome.value));
    show(0);
  };
  controls.hidden = false;
  controls.addEventListener('submit', (event) => event.preventDefault());
  controls.addEventListener('change', filter);
  controls.elements.previous.addEventListener('click', () => show(at - 1));
  controls.elements.next.addEventListener('click', () => show(at + 1));
  root.addEventListener('keydown', (event) => {
    if (event.target.tagName === 'SELECT') return;
    if (event.key === 'ArrowLeft') show(at - 1);
    if (event.key === 'ArrowRight') show(at + 1);
  });
  const tell = ({ target }) => { if (target.title) root.querySelector('.token').textContent = target.title; };
  root.addEventListener('pointerover', tell);
  root.addEventListener('click', tell);
  filter();
})();
`;
