import type { Conversation } from '../../src/conversation/conversation.ts';
import { talk } from './model-files.ts';

/** The special tokens that these templates are given. */
export const TOKENS = { bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', unk_token: '<unk>' };

const CHATML_TURN = "{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}";
const CHATML_OPEN = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** One for each way in which the templates of public models differ. */
export const OWN_TEMPLATES: Readonly<Record<string, string>> = {
  'one turn after another': `{% for m in messages %}${CHATML_TURN}{% endfor %}${CHATML_OPEN}`,
  'an empty thought in front of the last reply': `{% for m in messages %}{% if m.role == 'assistant' and loop.last %}{{ '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + m.content + '<|im_end|>\\n' }}{% else %}${CHATML_TURN}{% endif %}{% endfor %}${CHATML_OPEN}`,
  'thoughts cut out of replies': `{% for m in messages %}{% if m.role == 'assistant' %}{% set content = m.content %}{% if '</think>' in content %}{% set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}{% set content = content.split('</think>')[-1].lstrip('\\n') %}{% if loop.last %}{% set content = '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') %}{% endif %}{% endif %}{{ '<|im_start|>assistant\\n' + content + '<|im_end|>\\n' }}{% else %}${CHATML_TURN}{% endif %}{% endfor %}${CHATML_OPEN}`,
  'a thought begun by the prompt': `{% for m in messages %}{% if m.role == 'assistant' %}{{ '<a>' + m.content.split('</think>')[-1] + eos_token }}{% else %}{{ '<u>' + m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<a><think>\\n' }}{% endif %}`,
  'a channel named by the prompt': `{% for m in messages %}{{ '<|start|>' + m.role + ('<|channel|>final' if m.role == 'assistant' else '') + '<|message|>' + m.content + ('<|return|>' if loop.last and m.role == 'assistant' else '<|end|>') }}{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}`,
  'no word of the question for a new turn': `{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' }}{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}`,
  'a blank between opener and text': `{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}`,
  'turns trimmed': `{{ bos_token }}{% for m in messages %}{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\\n' + m.content | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}`,
  'an end token behind the last turn only': `{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + '<|end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}`,
  'a system prompt of its own': `{% if messages[0].role != 'system' %}{{ '<|im_start|>system\\nYou are kind.<|im_end|>\\n' }}{% endif %}{% for m in messages %}${CHATML_TURN}{% endfor %}${CHATML_OPEN}`,
  'the system prompt in front of the first question': `{% if messages[0].role == 'system' %}{% set system = messages[0].content | trim + '\\n\\n' %}{% set messages = messages[1:] %}{% else %}{% set system = '' %}{% endif %}{% for m in messages %}{{ '<' + m.role + '>' + (system if loop.first else '') + m.content }}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}`,
  'the last question told apart': `{% set ns = namespace(last=-1) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}{{ ('>' if loop.index0 == ns.last else '-') + m.role + ':' + m.content + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '-assistant:' }}{% endif %}`,
  'tools and documents asked for': `{% if tools is not none %}{{ 'TOOLS' }}{% endif %}{% if documents is not none %}{{ 'DOCS' }}{% endif %}{% if not tools %}{{ 'none: ' ~ tools }}{% endif %}{% for m in messages %}${CHATML_TURN}{% endfor %}${CHATML_OPEN}`,
  'lines that end in \\r\\n': `{% for m in messages %}\r\n{{ m.role }}:\r\n{{ m.content }}\r\n{% endfor %}\r\n{% if add_generation_prompt %}assistant:\r\n{% endif %}`,
  'lines and blanks of its own': `{%- for m in messages %}\n  {%- if m.role == 'user' %}\n    {{- 'U: ' + m.content }}\n  {% else %}\n{{ m.content }}\n  {%- endif %}\n{%- endfor %}\n  {% if add_generation_prompt %}\nA:\n  {% endif %}`,
  'turns that must alternate': `{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}${CHATML_TURN}{% endfor %}${CHATML_OPEN}`,
  'loop controls': `{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}{% if loop.index > 3 %}{% break %}{% endif %}${CHATML_TURN}{% endfor %}${CHATML_OPEN}`,
  'a macro and the generation tag': `{% macro turn(m) %}{{ '<' ~ m['role'] ~ '>' }}{% endmacro %}{% for m in messages %}{{ turn(m) }}{% if m.role == 'assistant' %}{%- generation -%}{{ m.content ~ eos_token }}{%- endgeneration -%}{% else %}{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}`,
  'a date': `{{ strftime_now('%Y') | length }}{% for m in messages %}${CHATML_TURN}{% endfor %}${CHATML_OPEN}`,
  'values as Python writes them': `{{ none }} {{ true }} {{ messages | length > 1 }} {{ ['a', "b'", 1, none] }} {{ {'k': false} }}{% for m in messages %}{{ m.role.title() + ':' + m.content.strip('\\n') + '|' + m.content | capitalize + '|' + m.content | tojson }}{% for c in m.content %}{% if loop.index < 3 %}{{ c }}.{% endif %}{% endfor %}{% endfor %}${CHATML_OPEN}`,
  'a turn that is dropped': `{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}`,
};

/** Conversations that bring the differences out. */
export const CHATS: readonly Conversation[] = [
  talk('u:hi'),
  talk('u:hi', 'a:yes'),
  talk('u:hi', 'a:yes', 'u:ok'),
  talk('u:hi', 'a:yes', 'u:ok', 'a:so be it'),
  talk('s:Be brief.', 'u:hi'),
  talk('s: Be brief.\n', 'u:hi', 'a:yes', 'u:ok'),
  talk('u:hi\n', 'a:yes\n', 'u: ok '),
  talk('u:  hi', 'a:  yes  ', 'u:ok'),
  talk('u:hi', 'a:Let me \n\n'),
  talk('u:hi', 'a:\n\n  yes \n\n', 'u:ok', 'a: \t12'),
  talk('u:hi', 'a:<think>\nhm\n</think>\n\nyes', 'u:ok'),
  talk('u:hi', 'a:<think>\nhm\n</think>\n\nyes'),
  talk('u:hi', 'a:<think>\n\n hm \n</think>  yes \n', 'u:ok'),
  talk('u:hi', 'a:<think>\nhalf'),
  talk('u:hi', 'a:'),
  talk('u:one', 'u:two'),
  talk('u:line 1\n\nline 2 {{ x }} "q" \\n <b>', 'a:é 日本 😊\t\u00a0', 'u:\ufeffok\u0085'),
];
