#!/usr/bin/env bash
# Makes the gallery: every picture in this folder, and README.md, which says what is on it and which command made it.
# Wants the program on the PATH or in $ENTOPTIC, and GoogLeNet's weights in $ENTOPTIC_MODELS. With MISSING=1 it makes only what
# is not there.
set -euo pipefail
cd "$(dirname "$0")/../.."
entoptic=${ENTOPTIC:-entoptic}
folder=docs/gallery
page=$folder/README.md

# A command as one types it.
typed() {
    local word line=entoptic
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_./:,=+%@-]*) line+=" '$word'" ;;
            *) line+=" $word" ;;
        esac
    done
    printf '%s\n' "$line"
}

# Runs a command that leaves a file or a folder in the gallery, unless it is there and nobody wants it anew.
make() {
    local out=$folder/$1
    shift
    if [ -z "${MISSING:-}" ] || [ ! -e "$out" ]; then
        "$entoptic" "$@" -o "$out"
    fi
}

# A heading, and what there is to see.
section() {
    printf '\n## %s\n\n%s\n' "$1" "$2" >>"$page"
}

# Runs a command that leaves pictures in the gallery, and shows both: `show CAPTION FILES -- COMMAND`. Files in a folder are some
# of all that the command makes.
show() {
    local caption=$1 files=() out
    shift
    while [ "$1" != -- ]; do
        files+=("$1")
        shift
    done
    shift
    out=${files[0]}
    case $out in
        */*) out=${out%%/*} ;;
    esac
    make "$out" "$@"
    printf '\n%s\n\n```sh\n%s\n```\n' "$caption" "$(typed "$@" -o "$out")" >>"$page"
    printf '\n![%s]('"%s)\n" "$caption" "${files[0]}" >>"$page"
    for file in "${files[@]:1}"; do
        printf '\n![](%s)\n' "$file" >>"$page"
    done
}

# Runs a command that leaves a page in the gallery, and links to it.
link() {
    local caption=$1 file=$2
    shift 2
    make "$file" "$@"
    printf '\n%s: [%s](%s), to be opened in a browser.\n\n```sh\n%s\n```\n' "$caption" "$file" "$file" \
        "$(typed "$@" -o "$file")" >>"$page"
}

photos=fixtures/images
google="-m googlenet_bvlc"

cat >"$page" <<'TEXT'
# Gallery

What each recipe shows, with the command that made the picture: of the embedded SqueezeNet, and of GoogLeNet, whose weights are
a file in the models folder. `just gallery` makes all of it again. [Units](units.md) has one unit under every
parameterization, and a picture for every objective.

Pictures that end in `.png` say how they were made; the others are smaller.
TEXT

section "Interaction grids" "Each unit with each other one, with the same things at the same places. Rows and columns are units; the
diagonal is each alone."
show "Units of SqueezeNet." interaction.jpg -- interaction-grid fire8:188 fire8:69 fire8:171 fire8:210
show "Units of GoogLeNet." interaction_googlenet.jpg -- interaction-grid $google \
    inception_4c_output:55 inception_4c_output:33 inception_4c_output:203 inception_4c_output:169

section "Activation grids" "What a layer makes of a photo, at each position: the image of the direction that its activations have
there."
show "A cat, as GoogLeNet sees it: groups of like positions share parameters, so that neighbors are coherent." \
    grid_googlenet.jpg -- activation-grid $photos/cat.png $google --layer inception_4d_output
show "The simple form: every icon by itself." \
    grid_naive_googlenet.jpg -- activation-grid $photos/cat.png $google --layer inception_4d_output --naive -n 128
show "The same cat as SqueezeNet sees it." grid.jpg -- activation-grid $photos/cat.png
link "The grid beside the photo, to point at" grid.html activation-grid $photos/cat.png -n 256

section "Interpolation" "The way from one unit to another."
show "Dogs to faces, in SqueezeNet: frames share coarse layouts, so that things stay where they are." \
    interpolation.jpg -- interpolate fire8:188 fire8:476
show "The same as an animation, with neighbors that are to be alike." \
    interpolation.gif -- interpolate fire8:188 fire8:476 --frames 12 --align fire3,fire5
show "Frames that share nothing." interpolation_apart.jpg -- interpolate fire8:188 fire8:476 --share nothing
show "Two units of GoogLeNet." interpolation_googlenet.jpg -- \
    interpolate $google inception_4c_output:55 inception_4c_output:203

section "Semi-transparent images" "A unit on backgrounds that vary: only what matters stays opaque."
show "A unit of SqueezeNet on white, on black and on a checkerboard, and its opacity." transparent/views.png -- \
    transparent fire8:188
show "A unit of GoogLeNet on seven backgrounds, beside each of them." transparent_googlenet.jpg -- \
    transparent $google inception_4c_output:55 --backgrounds
show "Eight images at once, before as many backgrounds, aligned." transparent_aligned.jpg -- \
    transparent fire8:188 --aligned
show "What random backgrounds are drawn from." samples.jpg -- transparent --samples

section "A unit studied" "As the article [Feature Visualization](https://distill.pub/2017/feature-visualization) looks at one."
show "What moves it down most and up most, different things that excite it, and what regularization does." \
    study/ends.png study/diversity.png study/regularization.png -- study fire8:188
show "A unit of GoogLeNet." study_googlenet/ends.png study_googlenet/diversity.png study_googlenet/regularization.png -- \
    study $google inception_4c_output:183

section "Caricatures" "What layers make of a photo, exaggerated."
show "Layers of SqueezeNet." caricature.jpg -- caricature $photos/astronaut.png
show "Layers of GoogLeNet." caricature_googlenet.jpg -- caricature $photos/astronaut.png $google \
    conv2_3x3 inception_3b_output inception_4b_output inception_5b_output
show "Feature inversion: closer to the photo." inversion.jpg -- caricature $photos/astronaut.png --cossim 1

section "Spritemaps" "All units of a layer."
show "SqueezeNet's fire5." sprites.jpg -- spritemap fire5 -s 64
show "Some of GoogLeNet's inception_4c_output." sprites_googlenet.jpg -- \
    spritemap $google inception_4c_output --channels 0-127
link "The same units, to look for and to open" sprites_googlenet.html \
    spritemap $google inception_4c_output --channels 0-127

section "Semantic dictionaries" "Which units respond most at each position of a photo."
link "A cat in terms of GoogLeNet" dictionary_googlenet.html \
    dictionary $photos/cat.png $google --layer inception_4d_output
show "The units that are among the strongest most often." dictionary.jpg -- dictionary $photos/coffee.png

section "Attribution" "What a class owes to positions and channels of a layer."
show "Orange speaks for the class, blue against it." attribution.jpg -- \
    attribute $photos/cat.png 'Egyptian cat' 'tiger cat'
link "The same of GoogLeNet, with channels to point at" attribution_googlenet.html \
    attribute $photos/cat.png 'Egyptian cat' 'espresso' $google --layer inception_4d_output
show "What each position of a later layer owes to those of an earlier one." positions.jpg -- \
    attribute $photos/cat.png --layer fire5 --to fire9

section "Neuron groups" "Units that respond together on a photo, where, and what the class owes to them."
show "Groups of SqueezeNet's fire8." groups.jpg -- neuron-groups $photos/cat.png 'Egyptian cat'
show "Groups of GoogLeNet." groups_googlenet.jpg -- \
    neuron-groups $photos/astronaut.png $google --layer inception_4d_output

section "Activation atlas" "What a layer tells apart in a folder of photos."
show "Four photos, position by position." atlas_googlenet.jpg -- \
    atlas $photos $google --layer inception_4d_output --grid 10 --least 4

section "DeepDream" "More and more of what a network sees in a photo."
show "Whatever excites SqueezeNet's fire6." dream.jpg -- deepdream $photos/palace.png
show "Whatever excites a layer of GoogLeNet." dream_googlenet.jpg -- \
    deepdream $photos/palace.png 'deepdream(inception_4c_output)' $google

section "Style transfer" "What is on one picture, as another looks."
show "A cat in the style of a palace." style.jpg -- style $photos/cat.png $photos/palace.png -s 256
show "The same, by GoogLeNet." style_googlenet.jpg -- style $photos/cat.png $photos/palace.png $google -s 192 -n 256 \
    --content-layers inception_3b_output \
    --style-layers conv2_3x3,inception_3a_output,inception_4a_output,inception_4b_output,inception_4c_output

cat >>"$page" <<'TEXT'

---

The photos: the cat and the coffee are from scikit-image (CC0), the astronaut is NASA's (public domain), the palace is by
danielbuechele on Flickr (6061409035, CC BY 2.0).
TEXT
