import { TemplateStore } from './template-store.js';
import { buildContext } from './render-context.js';
import { inputFor } from './samples.tmp.js';
import { TEMPLATE_HELPERS } from './helpers.js';
test('prof', async () => {
  let t=performance.now();
  const store = await TemplateStore.load('templates');
  const out=[`load ${performance.now()-t}`];
  const mail=(store as any).templates.get('fr/deadline_near'); const c=buildContext(inputFor('deadline','fr'));
  const opt={data:{root:c}};
  const time=(n:string,f:()=>unknown)=>{for(let i=0;i<300;i++)f();t=performance.now();for(let i=0;i<1000;i++)f();out.push(`${n} ${((performance.now()-t)).toFixed(0)} us`)};
  time('ctx',()=>buildContext(inputFor('deadline','fr')));
  time('subject',()=>mail.subject(c)); time('html',()=>mail.html(c)); time('text',()=>mail.text(c));
  time('date',()=>TEMPLATE_HELPERS['date']!('2025-11-03',opt));
  time('instant',()=>TEMPLATE_HELPERS['instant']!('2025-11-03T00:00:00Z',opt));
  time('plural',()=>TEMPLATE_HELPERS['plural']!(3,'a','b',opt));
  time('url',()=>TEMPLATE_HELPERS['http_url']!('https://vigie.example.fr/app/password?token=8f3b1c0e7a2d4965b1f0c3a8e7d6',opt));
  console.log(out.join('\n'));
});
