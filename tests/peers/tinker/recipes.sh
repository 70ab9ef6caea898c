#!/bin/sh
# The cookbook's own recipes against a server, each to its end; prints a line a recipe. Needs TINKER_BASE_URL.
#   sh tests/peers/tinker/recipes.sh PYTHON MODEL_FOLDER WORK_FOLDER
python=$1 model=$2 work=$3
export TINKER_API_KEY=tml-x TINKER_TELEMETRY=0 HF_HUB_OFFLINE=1
mkdir -p "$work"
printf '%s\n' '{"messages":[{"role":"user","content":"2+2"},{"role":"assistant","content":"4"}]}' \
  '{"messages":[{"role":"user","content":"3+4"},{"role":"assistant","content":"7"}]}' \
  '{"messages":[{"role":"user","content":"1+4"},{"role":"assistant","content":"5"}]}' \
  '{"messages":[{"role":"user","content":"6+2"},{"role":"assistant","content":"8"}]}' >"$work/chat.jsonl"

recipe() {
  name=$1 wanted=$2
  shift 2
  "$python" -W ignore -m "$@" model_name="$model" renderer_name=qwen3 >"$work/$name.log" 2>&1
  got=$?
  [ "$wanted" = refused ] && grep -q 'stable_reinforce' "$work/$name.log" && [ $got -ne 0 ] && got=0
  [ $got -eq 0 ] && echo "$name ok" || { echo "$name failed, see $work/$name.log"; tail -3 "$work/$name.log"; failed=1; }
}

rl="tinker_cookbook.recipes.math_rl.train group_size=4 groups_per_batch=4 max_tokens=24"
fresh="behavior_if_log_dir_exists=delete"
recipe importance_sampling ok $rl $fresh log_path="$work/is" max_steps=2 loss_fn=importance_sampling
recipe resume ok $rl behavior_if_log_dir_exists=resume log_path="$work/is" max_steps=4 loss_fn=importance_sampling
recipe ppo ok $rl $fresh log_path="$work/ppo" max_steps=2 loss_fn=ppo num_substeps=2 compute_post_kl=True save_every=1 eval_every=1
recipe async ok $rl $fresh log_path="$work/async" max_steps=2 loss_fn=importance_sampling max_steps_off_policy=1
state=$(sed -n 's/.*"state_path": "\([^"]*\)".*/\1/p' "$work/ppo/checkpoints.jsonl" | tail -1)
recipe from_checkpoint ok $rl $fresh log_path="$work/from" max_steps=1 loss_fn=importance_sampling load_checkpoint_path="$state"
recipe chat_sl ok tinker_cookbook.recipes.chat_sl.train $fresh log_path="$work/sl" dataset="$work/chat.jsonl" batch_size=2 max_steps=2
recipe stable_reinforce refused $rl $fresh log_path="$work/stable" max_steps=1
exit ${failed:-0}
