/**
 * What owners say of seats that are taken along: why not, why not now, and what came of it; also what other agents answer to it.
 * Each pair: the key of the text in the catalogs, under `owner.`, and the English sentence. Must not import owners.
 */

export const detachingSentences: readonly (readonly [key: string, english: RegExp])[] = [
  // why something can not be done with one
  ['was_lost', /^It was declared lost\.$/],
  ['was_lost_already', /^It was declared lost already\.$/],
  ['lasts_longest', /^It lasts as long as is allowed now\.$/],
  ['past_its_date', /^It is past its date\.$/],
  ['may_have_it', /^(?<name>.+) may have it already\.$/],
  ['given_back_on', /^It is given back on (?<name>.+)\.$/],
  ['back_on_date', /^The license lets it come back on its date only\.$/],
  ['back_online', /^The license lets it come back online only\.$/],
  ['seats_used_now', /^Applications of this machine use its seats now\.$/],
  ['being_given_back', /^It is being given back\.$/],
  // seats that do not go
  ['detaching_off_or', /^Detaching is switched off on (?<machine>.+), or its license does not allow it\.$/],
  ['detaching_off', /^Detaching is switched off on (?<machine>.+)\.$/],
  [
    'needs_none_along',
    /^Its seats are of (?<name>.+), which needs none along\. Name another machine as the recipient\.$/,
  ],
  ['none_detachable', /^None can be detached now\.$/],
  ['none_of_product', /^None of (?<product>\S+) can be detached now; (?<seats>\d+) asked for\.$/],
  ['only_of_product', /^Only (?<count>\d+) of (?<product>\S+) can be detached now; (?<seats>\d+) asked for\.$/],
  ['none_here_allows', /^No license here allows seats of (?<product>\S+) to be detached\.$/],
  ['none_of_allows', /^No license of (?<name>.+) allows seats of (?<product>\S+) to be detached\.$/],
  ['none_of_has_feature', /^No license of (?<name>.+) for (?<product>\S+) has the feature “(?<feature>.+)”\.$/],
  ['no_own_license', /^(?<name>.+) has no license of its own for (?<product>\S+)\.$/],
  ['has_them_itself', /^(?<name>.+) has these seats itself; they work there with no network\.$/],
  [
    'own_license_works',
    /^(?<name>.+) has a license of its own for (?<product>\S+), which works here with no network\. Name the machine that takes a seat along\.$/,
  ],
  ['no_license_known', /^No license for “(?<product>.+)” is known\.$/],
  ['no_product_name', /^“(?<product>.*)” is not the name of a product\.$/],
  // dates
  ['later_than', /^It must be later than (?<at>\S+Z)\.$/],
  ['latest_allowed', /^The latest date that is allowed now is (?<at>\S+Z)\.$/],
  ['license_ends', /^The license ends at (?<at>\S+Z)\.$/],
  [
    'clocks_behind',
    /^By (?<name>.+) it is (?<there>\S+Z), by (?<self>.+) (?<here>\S+Z): (?<minutes>\d+) minutes behind it\. A recipient block must be fresh, too\.$/,
  ],
  [
    'clocks_ahead',
    /^By (?<name>.+) it is (?<there>\S+Z), by (?<self>.+) (?<here>\S+Z): (?<minutes>\d+) minutes ahead of it\. A recipient block must be fresh, too\.$/,
  ],
  ['lost_not_extended', /^It was declared lost, so it is not extended\. Give it back instead\.$/],
  ['its_license_gone', /^Its license is not there any more\.$/],
  ['no_longer_ones', /^Its license takes no longer detachments now\.$/],
  // what is known of it
  ['no_detachment', /^There is no detachment (?<id>\S+) here\.$/],
  ['detachment_over', /^The detachment is over\.$/],
  ['id_of_other', /^This id was used for another detachment\.$/],
  ['order_of_other', /^This key was used for another detachment\.$/],
  ['has_later_version', /^The machine has a later version than this agent knows of\.$/],
  ['no_agent_of_name', /^No agent (?<name>.+) is known here\.$/],
  ['key_unknown', /^The key of the agent is not known\.$/],
  // attaching and giving back
  ['for_other_machine', /^It is made for another machine than (?<name>.+)\.$/],
  ['given_back_here', /^It was given back by this machine\.$/],
  ['given_back_already', /^It was given back already\.$/],
  ['ended_here', /^It has ended here\.$/],
  ['attached_already', /^It is attached already\.$/],
  ['attached_version', /^Version (?<known>\d+) of it is attached; this is (?<version>\d+)\.$/],
  ['ended_at', /^It ended at (?<at>\S+Z)\.$/],
  ['online_until', /^It comes back online only; it ends at (?<at>\S+Z)\.$/],
  ['not_early_until', /^The license does not let it come back early; it ends at (?<at>\S+Z)\.$/],
  ['only_it_gives_back', /^The machine may have it already, so only that machine gives it back\.$/],
  ['receipt_elsewhere', /^The receipt is for a detachment that another machine made, or one long over\.$/],
  ['receipt_of_other', /^The receipt is of another machine than the one that has the seats\.$/],
  ['seats_are_back', /^Its seats are back already\.$/],
  ['ended_by_itself', /^The detachment has ended by itself; nothing needs to be done\.$/],
  [
    'receipt_version',
    /^The receipt names version (?<version>\d+) of the detachment; the latest is (?<latest>\d+)\. The machine makes another receipt when it is shown that one\.$/,
  ],
  // what managers answer
  ['no_answer_yet', /^(?<name>.+) was asked, and has not answered yet\.$/],
  ['no_answer_of', /^(?<name>.+) did not answer\.$/],
  ['made_another', /^(?<name>.+) made something else than was asked for\.$/],
  ['told_another', /^(?<name>.+) told of another detachment than it signed\.$/],
  ['does_not_offer', /^(?<name>.+) does not offer (?<product>\S+), or can not be reached\.$/],
  ['none_offers', /^No license manager that offers (?<product>\S+) can be reached\.$/],
  ['above_unreachable', /^The manager above can not be reached: (?<reason>.+)$/],
  ['not_known_more', /^It is not known any more\.$/],
  ['unreachable_because', /^(?<name>.+?) can not be reached: (?<reason>.+)$/],
  ['unreachable_now', /^(?<name>.+) can not be reached now\.$/],
  ['refused_because', /^(?<name>.+?) refused it: (?<reason>.+)$/],
  ['refused_it', /^(?<name>.+) refused it\.$/],
]
